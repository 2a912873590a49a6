module example.com/legacy

go 1.16

require (
	example.com/calc v1.0.0
	example.com/greet v1.0.0
	example.com/old v1.4.0
	example.com/recalled v1.0.1
	example.com/words v1.1.0
)

// A folder instead of a version; words v1.1.0 asks for letters v0.2.0.
replace example.com/letters v0.2.0 => ./letters

// A version of another module instead of every version.
replace example.com/text => example.com/patched v1.0.0

// calc v1.0.0 asks for it; without this line it would be chosen.
exclude example.com/recalled v1.1.0
