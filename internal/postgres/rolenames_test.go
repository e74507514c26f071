package postgres

import (
	"slices"
	"strings"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

func TestRolesAreFoundWherePgDumpNamesThemAndNowhereElse(t *testing.T) {
	for _, c := range []struct {
		desc, sql, want string
		roles           []string
	}{
		{"ACL", "GRANT SELECT ON TABLE public.app TO app;\n", `GRANT SELECT ON TABLE public.app TO "new app";` + "\n", []string{"app"}},
		{"ACL", "REVOKE ALL ON SCHEMA public FROM PUBLIC;\nGRANT USAGE ON SCHEMA app TO other;\n", "", []string{"other"}},
		{
			"ACL", `SET SESSION AUTHORIZATION app;` + "\n" + `GRANT SELECT(a),UPDATE(app) ON TABLE "to"."from app" TO "odd "" TO app; x" WITH GRANT OPTION;` + "\nRESET SESSION AUTHORIZATION;\n",
			`SET SESSION AUTHORIZATION "new app";` + "\n" + `GRANT SELECT(a),UPDATE(app) ON TABLE "to"."from app" TO "odd "" TO app; x" WITH GRANT OPTION;` + "\nRESET SESSION AUTHORIZATION;\n",
			[]string{"app", `odd " TO app; x`},
		},
		{"ACL", "GRANT ALL ON FUNCTION app.f(app integer, \"to\" text) TO \"Public\";\n", "", []string{"Public"}},
		{"ACL", "REVOKE GRANT OPTION FOR SELECT ON TABLE t FROM app;\n", "REVOKE GRANT OPTION FOR SELECT ON TABLE t FROM \"new app\";\n", []string{"app"}},
		{
			"DEFAULT ACL", "ALTER DEFAULT PRIVILEGES FOR ROLE app IN SCHEMA app GRANT SELECT ON TABLES TO app;\nALTER DEFAULT PRIVILEGES FOR ROLE app REVOKE ALL ON FUNCTIONS FROM PUBLIC;\n",
			"ALTER DEFAULT PRIVILEGES FOR ROLE \"new app\" IN SCHEMA app GRANT SELECT ON TABLES TO \"new app\";\nALTER DEFAULT PRIVILEGES FOR ROLE \"new app\" REVOKE ALL ON FUNCTIONS FROM PUBLIC;\n",
			[]string{"app", "app", "app"},
		},
		{"POLICY", "CREATE POLICY app ON public.app FOR SELECT TO app, b USING ((a = 'TO app'::text)) WITH CHECK (true);\n", `CREATE POLICY app ON public.app FOR SELECT TO "new app", b USING ((a = 'TO app'::text)) WITH CHECK (true);` + "\n", []string{"app", "b"}},
		{"POLICY", "CREATE POLICY p ON t USING ((to_char(at, 'x'::text) = CAST(app AS text)));\n", "", nil},
		{"USER MAPPING", "CREATE USER MAPPING FOR app SERVER app OPTIONS (\n    \"user\" 'app'\n);\n", "CREATE USER MAPPING FOR \"new app\" SERVER app OPTIONS (\n    \"user\" 'app'\n);\n", []string{"app"}},
		{"USER MAPPING", "CREATE USER MAPPING FOR PUBLIC SERVER s;\n", "", nil},
	} {
		var roles []string
		got, err := RenameRoles(c.desc, c.sql, func(role string) string {
			roles = append(roles, role)
			if role == "app" {
				return "new app"
			}
			return role
		})
		if c.want == "" {
			c.want = c.sql
		}
		slices.Sort(roles)
		if err != nil || got != c.want || !slices.Equal(roles, c.roles) {
			t.Errorf("%s\ngot  %swant %sroles %q, %v", c.sql, got, c.want, roles, err)
		}
	}
}

func TestSQLWhoseRolesAreNotKnownIsRefusedRatherThanGuessed(t *testing.T) {
	for _, sql := range []string{"ALTER TABLE t OWNER TO app;\n", "GRANT SELECT ON t TO app", "GRANT SELECT ON t TO \"app;\n"} {
		if got, err := RenameRoles("ACL", sql, strings.ToUpper); fault.CodeOf(err) != fault.Refused || got != sql {
			t.Errorf("%q: %q, %v", sql, got, err)
		}
	}
}
