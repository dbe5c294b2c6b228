package command

func sortRows() []Row {
	of := keyAt(1, KeyRO|KeyAccess)
	named := KeySpec{Notes: "BY and GET make names of the elements, so it is not known which keys they read", Flags: KeyRO | KeyAccess}
	to := KeySpec{Notes: "STORE may stand anywhere among the options", Flags: KeyOW | KeyUpdate}
	return []Row{
		{ID: CmdSort, Name: "sort", Arity: -2, Flags: Write | DenyOOM | MovableKeys | InSteps, Categories: CatSet | CatSortedSet | CatList | CatDangerous, KeySpecs: keys(of, named, to), Since: "1.0.0"},
		{ID: CmdSortRO, Name: "sort_ro", Arity: -2, Flags: ReadOnly | MovableKeys, Categories: CatSet | CatSortedSet | CatList | CatDangerous, KeySpecs: keys(of, named), Since: "7.0.0"},
	}
}
