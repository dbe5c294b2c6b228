package command

// ACL concerns who is asked: a gateway has users of its own.
func aclRows() []Row {
	const admin, open = Admin | NoScript | Loading | Stale, NoScript | Loading | Stale
	return []Row{
		{ID: CmdACL, Name: "acl", Arity: -2, Request: RequestLocal, Since: "6.0.0"},
		{ID: CmdACLCat, Name: "acl|cat", Parent: CmdACL, Arity: -2, Flags: open, Request: RequestLocal, Since: "6.0.0"},
		{ID: CmdACLDelUser, Name: "acl|deluser", Parent: CmdACL, Arity: -3, Flags: admin, Request: RequestLocal, Tips: tips(tipRequestAllNodes, tipResponseAllSucceeded), Since: "6.0.0"},
		{ID: CmdACLDryRun, Name: "acl|dryrun", Parent: CmdACL, Arity: -4, Flags: admin, Request: RequestLocal, Since: "7.0.0"},
		{ID: CmdACLGenPass, Name: "acl|genpass", Parent: CmdACL, Arity: -2, Flags: open, Request: RequestLocal, Since: "6.0.0"},
		{ID: CmdACLGetUser, Name: "acl|getuser", Parent: CmdACL, Arity: 3, Flags: admin, Request: RequestLocal, Since: "6.0.0"},
		{ID: CmdACLList, Name: "acl|list", Parent: CmdACL, Arity: 2, Flags: admin, Request: RequestLocal, Since: "6.0.0"},
		{ID: CmdACLLoad, Name: "acl|load", Parent: CmdACL, Arity: 2, Flags: admin, Request: RequestLocal, Since: "6.0.0"},
		{ID: CmdACLLog, Name: "acl|log", Parent: CmdACL, Arity: -2, Flags: admin, Request: RequestLocal, Since: "6.0.0"},
		{ID: CmdACLSave, Name: "acl|save", Parent: CmdACL, Arity: 2, Flags: admin, Request: RequestLocal, Tips: tips(tipRequestAllNodes, tipResponseAllSucceeded), Since: "6.0.0"},
		{ID: CmdACLSetUser, Name: "acl|setuser", Parent: CmdACL, Arity: -3, Flags: admin, Request: RequestLocal, Tips: tips(tipRequestAllNodes, tipResponseAllSucceeded), Since: "6.0.0"},
		{ID: CmdACLUsers, Name: "acl|users", Parent: CmdACL, Arity: 2, Flags: admin, Request: RequestLocal, Since: "6.0.0"},
		{ID: CmdACLWhoAmI, Name: "acl|whoami", Parent: CmdACL, Arity: 2, Flags: open, Request: RequestLocal, Since: "6.0.0"},
		{ID: CmdACLHelp, Name: "acl|help", Parent: CmdACL, Arity: 2, Flags: Loading | Stale, Request: RequestLocal, Since: "6.0.0"},
	}
}
