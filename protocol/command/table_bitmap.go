package command

func bitmapRows() []Row {
	return []Row{
		{ID: CmdSetBit, Name: "setbit", Arity: 4, Flags: Write | DenyOOM, Categories: CatBitmap, KeySpecs: keys(keyAt(1, KeyRW|KeyAccess|KeyUpdate)), Since: "2.2.0"},
		{ID: CmdGetBit, Name: "getbit", Arity: 3, Flags: ReadOnly | Fast, Categories: CatBitmap, KeySpecs: keys(keyAt(1, KeyRO|KeyAccess)), Since: "2.2.0"},
		{ID: CmdBitCount, Name: "bitcount", Arity: -2, Flags: ReadOnly, Categories: CatBitmap, KeySpecs: keys(keyAt(1, KeyRO|KeyAccess)), Since: "2.6.0"},
		{ID: CmdBitPos, Name: "bitpos", Arity: -3, Flags: ReadOnly, Categories: CatBitmap, KeySpecs: keys(keyAt(1, KeyRO|KeyAccess)), Since: "2.8.7"},
		{ID: CmdBitOp, Name: "bitop", Arity: -4, Flags: Write | DenyOOM | InSteps, Categories: CatBitmap, KeySpecs: keys(keyAt(2, KeyOW|KeyUpdate), keysFrom(3, 1, KeyRO|KeyAccess)), Since: "2.6.0"},
		{ID: CmdBitField, Name: "bitfield", Arity: -2, Flags: Write | DenyOOM, Categories: CatBitmap, KeySpecs: keys(noted(keyAt(1, KeyRW|KeyAccess|KeyUpdate|KeyVariable), "only reads if all its operations are GET")), Since: "3.2.0"},
		{ID: CmdBitFieldRO, Name: "bitfield_ro", Arity: -2, Flags: ReadOnly | Fast, Categories: CatBitmap, KeySpecs: keys(keyAt(1, KeyRO|KeyAccess)), Since: "6.0.0"},
	}
}
