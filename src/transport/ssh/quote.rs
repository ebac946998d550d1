//! The only place where an argument becomes text for a shell.

/// The command line on which a POSIX shell finds exactly these arguments.
///
/// No argument may hold a NUL byte, which no program can receive; `Session::exec` refuses it.
pub fn quote(arguments: &[String]) -> String {
    arguments.iter().map(|argument| quote_one(argument)).collect::<Vec<_>>().join(" ")
}

fn quote_one(argument: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:,+@%".contains(c);
    if !argument.is_empty() && argument.chars().all(plain) {
        return argument.to_owned();
    }
    // Nothing is special between single quotes; a single quote itself is put between two such pieces.
    format!("'{}'", argument.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_real_shell_gets_back_every_argument() {
        let nasty =
            ["", " ", "a b", "it's", "'", "''", "$HOME", "`id`", "$(id)", "a\nb", "\\", "*", "~", "é", "-n"];
        let more =
            ["=x", "a=b", "!!", "#", "a;b", "{a,b}", "\t", "\u{1b}[0m", "&&", ">x", "\"q\"", "%s", "\r"];
        for word in nasty.iter().chain(&more) {
            let line = quote(&["printf".into(), "%s".into(), (*word).to_owned()]);
            let output = std::process::Command::new("sh").arg("-c").arg(&line).output().unwrap();
            assert_eq!(output.stdout, word.as_bytes(), "{word:?} as {line:?}");
        }
    }
}
