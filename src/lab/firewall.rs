//! nftables on a simulated host: tables as texts, loaded and deleted whole. No packet meets them, and a file
//! given on standard input is taken for good: only the real nft can judge rules.

use super::machine::State;

/// What an `nft` command does; `None` when it is another program.
pub(super) fn command(state: &mut State, argv: &[String]) -> Option<Result<String, String>> {
    let words: Vec<&str> = argv.iter().map(String::as_str).collect();
    let (program, rest) = words.split_first()?;
    if !matches!(*program, "nft" | "/usr/sbin/nft") {
        return None;
    }
    if !state.packages.contains_key("nftables") {
        return Some(Err(format!("{program}: not found")));
    }
    Some(match rest {
        ["-c", "-f", "-"] => Ok(String::new()),
        ["-f", path] => load(state, path),
        ["delete", "table", family, name] => match state.firewall.remove(&format!("{family} {name}")) {
            Some(_) => Ok(String::new()),
            None => Err("Error: No such file or directory".to_owned()),
        },
        _ => Err(format!("nft {}: not known (simulated device)", rest.join(" "))),
    })
}

/// Takes the tables of a file, each as its last block says: what stands before deletes the one of old.
fn load(state: &mut State, path: &str) -> Result<String, String> {
    let text = state.files.text(path).ok_or_else(|| format!("{path}: No such file or directory"))?;
    let mut tables = text.lines().filter(|line| !line.starts_with('#'));
    while let Some(line) = tables.next() {
        let Some(name) = line.strip_prefix("table ").and_then(|rest| rest.strip_suffix(" {")) else {
            continue;
        };
        let mut table = format!("{line}\n");
        for line in tables.by_ref() {
            table.push_str(&format!("{line}\n"));
            if line == "}" {
                break;
            }
        }
        state.firewall.insert(name.to_owned(), table);
    }
    Ok(String::new())
}
