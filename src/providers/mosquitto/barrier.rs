//! What else filters on a broker's host. A packet must pass every chain, so one whose policy is drop closes the
//! broker's ports however much our own table accepts. Only read, and only its policy: a rule that drops at a
//! chain's end is not understood.

/// The chains on the way in, as `family table chain`, whose policy is drop, in tables none of whose rules
/// lets a TCP port pass. Our own is not among them.
pub(super) fn chains(ruleset: &str, ours: &str, port: u16) -> Vec<String> {
    let mut found = Vec::new();
    for table in ruleset.split("\n}") {
        let table = table.trim_start();
        let Some(name) = table.strip_prefix("table ").and_then(|rest| rest.split(" {").next()) else {
            continue;
        };
        let on_the_way = ["inet ", "ip ", "ip6 "].iter().any(|family| name.starts_with(family));
        if !on_the_way || name == ours || table.lines().any(|rule| lets_pass(rule, port)) {
            continue;
        }
        let mut chain = "";
        for line in table.lines().map(str::trim) {
            if let Some(name) = line.strip_prefix("chain ") {
                chain = name.trim_end_matches(" {");
            } else if line.contains(" hook input ") && line.ends_with("policy drop;") {
                found.push(format!("{name} {chain}"));
            }
        }
    }
    found
}

/// Whether a rule may let a TCP port pass: one that names it and does not drop it, or that accepts all. What
/// a named set holds is not known; it may.
fn lets_pass(rule: &str, port: u16) -> bool {
    let words: Vec<&str> = rule.split_whitespace().filter(|word| *word != "counter").collect();
    if words == ["accept"] {
        return true;
    }
    let Some(at) = words.iter().position(|word| *word == "dport") else { return false };
    let mapped = words.get(at + 1) == Some(&"vmap");
    let ports = &words[at + if mapped { 2 } else { 1 }..];
    let count = match ports.first() {
        Some(&"{") => ports.iter().position(|word| *word == "}").unwrap_or(ports.len()),
        _ => 1,
    };
    let tcp = at > 0 && matches!(words[at - 1], "tcp" | "th");
    let drops = !mapped && words.iter().any(|word| matches!(*word, "drop" | "reject"));
    tcp && !drops && ports.iter().take(count).any(|word| holds(word.trim_end_matches(','), port))
}

/// Whether a word of a rule is a port, a range with it, or a named set.
fn holds(word: &str, port: u16) -> bool {
    let number = |text: &str| text.parse::<u16>().ok();
    match word.split_once('-') {
        _ if word.starts_with('@') => true,
        Some((first, last)) => {
            number(first).is_some_and(|first| first <= port) && number(last).is_some_and(|last| port <= last)
        }
        None => number(word) == Some(port),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UFW_LIKE: &str = "table ip filter {\n\tchain INPUT {\n\t\ttype filter hook input priority filter; \
         policy drop;\n\t\tct state established,related accept\n\t\ttcp dport 22 counter packets 3 bytes 9 \
         accept\n\t}\n}\ntable inet rocade_broker {\n\tchain input {\n\t\ttype filter hook input priority \
         filter; policy drop;\n\t}\n}\ntable arp a {\n\tchain b {\n\t\ttype filter hook input priority \
         filter; policy drop;\n\t}\n}\n";

    #[test]
    fn a_chain_that_drops_what_it_does_not_name_is_named() {
        assert_eq!(chains(UFW_LIKE, "inet rocade_broker", 8883), ["ip filter INPUT"]);
        assert_eq!(chains(UFW_LIKE, "inet rocade_broker", 22), Vec::<String>::new());
        assert_eq!(
            chains(&UFW_LIKE.replace("policy drop", "policy accept"), "inet rocade_broker", 8883),
            Vec::<String>::new()
        );
        assert_eq!(chains("", "inet rocade_broker", 8883), Vec::<String>::new());
    }

    #[test]
    fn a_port_is_found_in_sets_ranges_and_maps_and_nowhere_else() {
        for rule in [
            "tcp dport 8883 accept",
            "tcp dport { 22, 8883 } counter packets 0 bytes 0 accept",
            "ip saddr 10.0.0.0/8 tcp dport 8000-9000 jump clients",
            "tcp dport vmap { 22 : drop, 8883 : accept }",
            "tcp dport @open accept",
            "counter accept",
        ] {
            assert!(lets_pass(rule, 8883), "{rule}");
        }
        for rule in [
            "tcp dport 8883 drop",
            "tcp dport 18883 accept",
            "udp dport 8883 accept",
            "tcp dport { 22, 443 } meta mark 8883 accept",
            "iif \"lo\" accept",
            "ct state established accept",
        ] {
            assert!(!lets_pass(rule, 8883), "{rule}");
        }
    }
}
