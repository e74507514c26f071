package backup

// DrillFacts are what a drill looked at besides rows.
type DrillFacts struct {
	Server  string `json:"server"`  // version of the server that was restored into
	Private bool   `json:"private"` // it was the drill's own
	Owners  int    `json:"owners"`  // relations and schemas whose owner is the dump's
	// relations and schemas that have rights of their own, as in the dump
	Grants       int              `json:"grants"`
	Expectations int              `json:"expectations"` // of the configuration, fulfilled
	Amcheck      bool             `json:"amcheck"`      // pg_amcheck found nothing
	Extensions   []DrillExtension `json:"extensions,omitempty"`
}

// DrillExtension is an extension of the copy.
type DrillExtension struct {
	Name   string `json:"name"`
	Source string `json:"source,omitempty"` // version where the set was made; "": not recorded
	Here   string `json:"here"`             // version in the drill
}
