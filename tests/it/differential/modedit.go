// Edits go.mod files with golang.org/x/mod/modfile: the oracle of modedit.rs, which puts it beside the
// copy that comes with go.

package main

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
)

type requirement struct {
	Path, Version string
	Indirect      bool
}

type task struct {
	Text      string // hexadecimal
	Go        string
	Toolchain *string // none takes the line out
	Require   []requirement
	Separate  bool
	Two       bool // with Separate: two blocks at most, from go1.27 on
	Format    bool // nothing but sorting
}

func edit(t task) (string, error) {
	data, err := hex.DecodeString(t.Text)
	if err != nil {
		return "", err
	}
	file, err := modfile.Parse("go.mod", data, func(path, version string) (string, error) {
		if canonical := module.CanonicalVersion(version); canonical != "" {
			return canonical, nil
		}
		return "", errors.New("no version")
	})
	if err != nil {
		return "", err
	}
	if t.Format {
		file.SortBlocks()
	} else if err := change(file, t); err != nil {
		return "", err
	}
	file.Cleanup()
	after, err := file.Format()
	return hex.EncodeToString(after), err
}

func change(file *modfile.File, t task) error {
	if t.Go != "" {
		if err := file.AddGoStmt(t.Go); err != nil {
			return err
		}
	}
	if t.Toolchain == nil {
		file.DropToolchainStmt()
	} else if err := file.AddToolchainStmt(*t.Toolchain); err != nil {
		return err
	}
	var list []*modfile.Require
	for _, r := range t.Require {
		m := module.Version{Path: r.Path, Version: r.Version}
		list = append(list, &modfile.Require{Mod: m, Indirect: r.Indirect})
	}
	if t.Two {
		// Not there before go1.27.
		file, ok := any(file).(interface{ SetRequireAtMostTwo([]*modfile.Require) })
		if !ok {
			return errors.New("unknown")
		}
		file.SetRequireAtMostTwo(list)
	} else if t.Separate {
		file.SetRequireSeparateIndirect(list)
	} else {
		file.SetRequire(list)
	}
	return nil
}

func main() {
	var tasks []task
	input, err := io.ReadAll(os.Stdin)
	if err == nil {
		err = json.Unmarshal(input, &tasks)
	}
	if err != nil {
		panic(err)
	}
	answers := make([]*string, len(tasks))
	for i, t := range tasks {
		if text, err := edit(t); err == nil {
			answers[i] = &text
		}
	}
	json.NewEncoder(os.Stdout).Encode(answers)
}
