//! The parser of `.netrc` files, which reads and passes over what Go's does.
//!
//! Source: golang/go `cmd/go/internal/auth/netrc.go`, `parseNetrc`.

/// Credentials for one machine.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct NetrcLine {
    /// As written: a host, a host with port, or either with a path.
    pub(super) machine: String,
    pub(super) login: String,
    pub(super) password: String,
}

/// Finds the machines that have a login and a password, in the order of the file.
///
/// Shape: pairs of words; a pair does not go over the end of its line. `machine` begins anew, and
/// an entry ends as soon as it is complete. A line with `macdef` begins a macro, which goes to the
/// next empty line. A lone `default` at the end of a line ends the file; as in Go, `default`
/// stands for no machine, and its login and password are not used.
pub(super) fn parse(text: &str) -> Vec<NetrcLine> {
    let mut lines = Vec::new();
    let (mut machine, mut login, mut password) = ("", "", "");
    let mut in_macro = false;
    for line in text.split('\n') {
        if in_macro {
            in_macro = !line.is_empty();
            continue;
        }
        let words: Vec<&str> = line.split_whitespace().collect();
        let (pairs, rest) = words.as_chunks::<2>();
        for [key, value] in pairs {
            match *key {
                "machine" => (machine, login, password) = (value, "", ""),
                "login" => login = value,
                "password" => password = value,
                "macdef" => in_macro = true,
                _ => {}
            }
            if !machine.is_empty() && !login.is_empty() && !password.is_empty() {
                lines.push(NetrcLine {
                    machine: machine.to_owned(),
                    login: login.to_owned(),
                    password: password.to_owned(),
                });
                (machine, login, password) = ("", "", "");
            }
        }
        if rest == ["default"] {
            break;
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn told(text: &str) -> Vec<[String; 3]> {
        let told = |line: NetrcLine| [line.machine, line.login, line.password];
        parse(text).into_iter().map(told).collect()
    }

    #[test]
    fn reads_what_go_reads() {
        // The text and the outcome of `TestParseNetrc` in go's netrc_test.go, put together anew.
        let text = "
machine incomplete
password none

machine api.github.com
  login user
  password pwd

machine incomlete.host
  login justlogin

machine test.host
login user2
password pwd2

machine oneline login user3 password pwd3

machine ignore.host macdef ignore
  login nobody
  password nothing

machine hasmacro.too macdef ignore-next-lines login user4 password pwd4
  login nobody
  password nothing

default
login anonymous
password gopher@golang.org

machine after.default
login oops
password too-late-in-file
";
        let want = [
            ["api.github.com", "user", "pwd"],
            ["test.host", "user2", "pwd2"],
            ["oneline", "user3", "pwd3"],
            ["hasmacro.too", "user4", "pwd4"],
        ];
        assert_eq!(told(text), want.map(|line| line.map(str::to_owned)));
    }

    #[test]
    fn default_with_words_behind_it_is_passed_over() {
        // By the rules of parseNetrc: `default login` is a pair of no meaning.
        let text = "default login a password b\nmachine h:8443/p login c password d\r\n";
        assert_eq!(told(text), [["h:8443/p", "c", "d"].map(str::to_owned)]);
    }

    proptest! {
        #[test]
        fn entries_are_whole_whatever_the_file_says(
            text in "((machine|login|password|macdef|default|x|y:1)[ \t\n]{1,2}){0,30}|\\PC{0,80}"
        ) {
            for line in parse(&text) {
                for word in [line.machine, line.login, line.password] {
                    prop_assert!(!word.is_empty() && !word.contains(char::is_whitespace));
                    prop_assert!(text.contains(&word));
                }
            }
        }
    }
}
