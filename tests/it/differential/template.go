// Applies templates to modules as go list does: the oracle of template.rs, which puts it beside a
// copy of go's own modinfo.

package main

import (
	"bufio"
	"encoding/json"
	"os"
	"strings"
	"text/template"

	"oracle/modinfo"
)

// answer is what one template comes to, for each module in turn.
type answer struct {
	Template string
	Out      []string
	Error    []string `json:",omitempty"`
}

func ask(text string, modules []*modinfo.ModulePublic) answer {
	unreachable := func(...string) string { panic("not for these templates") }
	functions := template.FuncMap{"join": strings.Join, "context": unreachable, "module": unreachable}
	a := answer{Template: text}
	tmpl, err := template.New("main").Funcs(functions).Parse(text)
	if err != nil {
		a.Error = []string{err.Error()}
		return a
	}
	failed := false
	for _, module := range modules {
		var out strings.Builder
		problem := ""
		if err := tmpl.Execute(&out, module); err != nil {
			problem = err.Error()
			failed = true
		}
		a.Out = append(a.Out, out.String())
		a.Error = append(a.Error, problem)
	}
	if !failed {
		a.Error = nil
	}
	return a
}

// The first value read is the modules, each other one a template.
func main() {
	var modules []*modinfo.ModulePublic
	in := json.NewDecoder(bufio.NewReader(os.Stdin))
	if err := in.Decode(&modules); err != nil {
		panic(err)
	}
	answers := json.NewEncoder(os.Stdout)
	answers.SetEscapeHTML(false)
	for in.More() {
		var text string
		if err := in.Decode(&text); err != nil {
			panic(err)
		}
		answers.Encode(ask(text, modules))
	}
}
