module example.com/hello

go 1.21

require (
	example.com/Upper/CamelCase v1.0.0
	example.com/calc/v2 v2.1.0
	example.com/faded v1.0.0
	example.com/greet v1.1.0
	example.com/many v1.0.0
	example.com/nightly v0.0.0-20240102030405-abcdef123456
	example.com/old v2.3.0+incompatible
	example.com/recalled v1.1.0
	example.com/text v1.2.0
	example.com/tool v0.5.0
	gopkg.in/tiny.v1 v1.0.2
)

require (
	example.com/letters v0.2.0 // indirect
	example.com/words v1.1.0 // indirect
)
