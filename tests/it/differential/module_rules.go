// Answers what the functions of golang/mod say: the oracle of module_rules.rs, which puts it beside
// the copy of golang.org/x/mod that comes with go.

package main

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/module"
)

func result(err error) string {
	if err != nil {
		return "refused: " + err.Error()
	}
	return "ok"
}

func text(value string, err error) string {
	if err != nil {
		return result(err)
	}
	return "= " + strconv.Quote(value)
}

func ask(function string, in []string) string {
	switch function {
	case "CheckPath":
		return result(module.CheckPath(in[0]))
	case "CheckImportPath":
		return result(module.CheckImportPath(in[0]))
	case "CheckFilePath":
		return result(module.CheckFilePath(in[0]))
	case "Check":
		return result(module.Check(in[0], in[1]))
	case "EscapePath":
		return text(module.EscapePath(in[0]))
	case "EscapeVersion":
		return text(module.EscapeVersion(in[0]))
	case "CanonicalVersion":
		return text(module.CanonicalVersion(in[0]), nil)
	case "SplitPathVersion":
		prefix, major, ok := module.SplitPathVersion(in[0])
		if !ok {
			return "refused"
		}
		return "= " + strconv.Quote(prefix) + " " + strconv.Quote(major)
	case "IsPseudoVersion":
		return fmt.Sprint("= ", module.IsPseudoVersion(in[0]))
	case "MatchPrefixPatterns":
		return fmt.Sprint("= ", module.MatchPrefixPatterns(in[0], in[1]))
	}
	panic(function)
}

// Reads lines of a function and its inputs, Go strings parted by tabs; answers each with a line.
func main() {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		fields := strings.Split(lines.Text(), "\t")
		for i := range fields[1:] {
			input, err := strconv.Unquote(fields[i+1])
			if err != nil {
				panic(err)
			}
			fields[i+1] = input
		}
		fmt.Printf("%q\n", ask(fields[0], fields[1:]))
	}
}
