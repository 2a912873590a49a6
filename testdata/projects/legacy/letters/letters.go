// Package letters is the replacement of example.com/letters in this folder.
package letters

// All is the alphabet, backwards.
const All = "zyxwvutsrqponmlkjihgfedcba"

// Greek is not from a file here.
const Greek = "gamma beta alpha"
