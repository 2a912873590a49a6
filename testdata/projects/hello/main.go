// Hello uses a package of every module it requires, so that building it proves that a module
// cache is complete.
package main

import (
	"fmt"

	camelcase "example.com/Upper/CamelCase"
	"example.com/calc/v2"
	"example.com/faded"
	"example.com/greet"
	"example.com/many"
	"example.com/nightly"
	"example.com/old"
	"example.com/old/sub"
	"example.com/recalled"
	"example.com/text"
	"example.com/tool"
	tiny "gopkg.in/tiny.v1"
)

func main() {
	fmt.Println(greet.Hello("world"), text.Trim(" "+text.Version+" "), calc.Add(1, 2, 3))
	fmt.Println(camelcase.Hump, faded.Colour, nightly.Date, old.Age, sub.Name, recalled.Well, tool.Name, tiny.Size)
	leaf, err := many.Files.ReadFile("data/b/c/d/e.txt")
	fmt.Printf("%s%v\n", leaf, err)
}
