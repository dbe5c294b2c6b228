package command

func bitmapDocs() map[ID]Doc {
	return map[ID]Doc{
		CmdSetBit: {
			Summary: "Sets one bit of a string and answers the one before.", Complexity: "O(1)",
			Args: takes(keyArg("key", 0), integer("offset"), integer("value")),
		},
		CmdGetBit: {
			Summary: "Reads one bit of a string.", Complexity: "O(1)",
			Args: takes(keyArg("key", 0), integer("offset")),
		},
		CmdBitCount: {
			Summary: "Counts the bits that are set.", Complexity: "O(N) in the number of bytes looked at",
			History: []Change{{"7.0.0", "Units `BYTE` and `BIT`."}},
			Args: takes(
				keyArg("key", 0),
				block("index",
					integer("start"),
					integer("end"),
					oneOf("index_unit", word("BYTE"), word("BIT")).since("7.0.0").optional(),
				).optional(),
			),
		},
		CmdBitPos: {
			Summary: "Finds the first bit that is set, or clear.", Complexity: "O(N) in the number of bytes looked at",
			History: []Change{{"7.0.0", "Units `BYTE` and `BIT`."}},
			Args: takes(
				keyArg("key", 0),
				integer("bit"),
				block("index",
					integer("start"),
					block("end_index", integer("end"), oneOf("index_unit", word("BYTE"), word("BIT")).since("7.0.0").optional()).optional(),
				).optional(),
			),
		},
		CmdBitOp: {
			Summary: "Combines strings bit by bit into another key.", Complexity: "O(N) in the length of the longest string",
			Args: takes(text("operation"), keyArg("destkey", 0), keyArg("key", 1).multiple()),
		},
		CmdBitField: {
			Summary: "Reads and changes integers of any width within a string.", Complexity: "O(1) an operation",
			Args: takes(
				keyArg("key", 0),
				oneOf("operation",
					block("encoding_offset", text("encoding"), integer("offset")).token("GET"),
					block("write",
						oneOf("wrap_sat_fail", word("WRAP"), word("SAT"), word("FAIL")).token("OVERFLOW").optional(),
						oneOf("write_operation",
							block("encoding_offset_value", text("encoding"), integer("offset"), integer("value")).token("SET"),
							block("encoding_offset_increment", text("encoding"), integer("offset"), integer("increment")).token("INCRBY"),
						),
					),
				).optional().multiple(),
			),
		},
		CmdBitFieldRO: {
			Summary: "Reads integers of any width within a string.", Complexity: "O(1) an operation",
			Args: takes(
				keyArg("key", 0),
				block("encoding_offset", text("encoding"), integer("offset")).token("GET").optional().multiple().eachWithToken(),
			),
		},
	}
}
