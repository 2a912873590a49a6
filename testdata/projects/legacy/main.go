// Legacy is a program from before graph pruning, with replacements and an exclusion.
package main

import (
	"fmt"

	"example.com/calc"
	"example.com/greet"
	"example.com/old"
	_ "example.com/recalled"
	"example.com/words"
)

func main() {
	fmt.Println(greet.Hello("world"), calc.Add(1, 2), old.Age, words.Greek(), words.Text())
}
