//! OpenSSH's host patterns (`ssh_config(5)`, PATTERNS): `*`, `?` and a leading `!`, which excludes.

/// A list of patterns. It holds a name when one of them fits and none that excludes does.
#[derive(Clone, Debug)]
pub(super) struct Patterns(Vec<String>);

impl Patterns {
    /// A comma-separated list, as in `known_hosts`.
    pub(super) fn parse(list: &str) -> Self {
        Self::of(list.split(','))
    }

    /// The patterns one by one, as in `ssh_config`.
    pub(super) fn of<'a>(patterns: impl IntoIterator<Item = &'a str>) -> Self {
        Self(patterns.into_iter().map(str::to_ascii_lowercase).collect())
    }

    /// Whether the list holds a name; letters' case does not matter.
    pub(super) fn holds(&self, name: &str) -> bool {
        let name = name.to_ascii_lowercase();
        let excluded = |pattern: &String| pattern.strip_prefix('!').is_some_and(|rest| fits(rest, &name));
        self.0.iter().any(|pattern| fits(pattern, &name)) && !self.0.iter().any(excluded)
    }

    /// Whether the list is this one name and nothing else.
    pub(super) fn is_only(&self, name: &str) -> bool {
        matches!(self.0.as_slice(), [one] if one == name)
    }
}

/// Whether a pattern fits the whole name. Goes back to the last `*` only, so it takes at most length x length
/// steps.
fn fits(pattern: &str, name: &str) -> bool {
    let (pattern, name) = (pattern.as_bytes(), name.as_bytes());
    let (mut p, mut n) = (0, 0);
    let mut star = None;
    while n < name.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(c) if *c == b'?' || *c == name[n] => {
                p += 1;
                n += 1;
            }
            _ => match star {
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    p = at + 1;
                    n = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_question_marks_and_exclusions() {
        for (pattern, name, expected) in [
            ("*", "", true),
            ("*.example.net", "broker.example.net", true),
            ("*.example.net", "example.net", false),
            ("192.168.2.?", "192.168.2.1", true),
            ("192.168.2.?", "192.168.2.10", false),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-b-b", false),
            ("[127.0.0.1]:2222", "[127.0.0.1]:2222", true),
        ] {
            assert_eq!(fits(pattern, name), expected, "{pattern} on {name}");
        }
        let list = Patterns::parse("*.example.net,!secret.example.net");
        assert!(list.holds("Broker.Example.NET"));
        assert!(!list.holds("secret.example.net"));
        assert!(!Patterns::parse("!secret").holds("other"), "an exclusion alone holds nothing");
    }
}
