package command

func geoRows() []Row {
	return []Row{
		{ID: CmdGeoAdd, Name: "geoadd", Arity: -5, Flags: Write | DenyOOM, Categories: CatGeo, KeySpecs: keys(keyAt(1, KeyRW|KeyUpdate)), Since: "3.2.0"},
		{ID: CmdGeoDist, Name: "geodist", Arity: -4, Flags: ReadOnly, Categories: CatGeo, KeySpecs: keys(keyAt(1, KeyRO|KeyAccess)), Since: "3.2.0"},
		{ID: CmdGeoHash, Name: "geohash", Arity: -2, Flags: ReadOnly, Categories: CatGeo, KeySpecs: keys(keyAt(1, KeyRO|KeyAccess)), Since: "3.2.0"},
		{ID: CmdGeoPos, Name: "geopos", Arity: -2, Flags: ReadOnly, Categories: CatGeo, KeySpecs: keys(keyAt(1, KeyRO|KeyAccess)), Since: "3.2.0"},
		{ID: CmdGeoRadius, Name: "georadius", Arity: -6, Flags: Write | DenyOOM | MovableKeys | InSteps, Categories: CatGeo, KeySpecs: keys(keyAt(1, KeyRO|KeyAccess), keyBehind("STORE", 6), keyBehind("STOREDIST", 6)), Since: "3.2.0"},
		{ID: CmdGeoRadiusRO, Name: "georadius_ro", Arity: -6, Flags: ReadOnly, Categories: CatGeo, KeySpecs: keys(keyAt(1, KeyRO|KeyAccess)), Since: "3.2.10"},
		{ID: CmdGeoRadiusByMember, Name: "georadiusbymember", Arity: -5, Flags: Write | DenyOOM | MovableKeys | InSteps, Categories: CatGeo, KeySpecs: keys(keyAt(1, KeyRO|KeyAccess), keyBehind("STORE", 5), keyBehind("STOREDIST", 5)), Since: "3.2.0"},
		{ID: CmdGeoRadiusByMemberRO, Name: "georadiusbymember_ro", Arity: -5, Flags: ReadOnly, Categories: CatGeo, KeySpecs: keys(keyAt(1, KeyRO|KeyAccess)), Since: "3.2.10"},
		{ID: CmdGeoSearch, Name: "geosearch", Arity: -7, Flags: ReadOnly, Categories: CatGeo, KeySpecs: keys(keyAt(1, KeyRO|KeyAccess)), Since: "6.2.0"},
		{ID: CmdGeoSearchStore, Name: "geosearchstore", Arity: -8, Flags: Write | DenyOOM | InSteps, Categories: CatGeo, KeySpecs: keys(keyAt(1, KeyOW|KeyUpdate), keyAt(2, KeyRO|KeyAccess)), Since: "6.2.0"},
	}
}
