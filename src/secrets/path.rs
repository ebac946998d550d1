//! The names of secrets. A name that passes here is safe to print, to write in YAML and to name a file by.

/// Whether a text can name a secret: segments of letters, digits, `_`, `.` and `-` between slashes, each
/// beginning with a letter, a digit or `_`; 200 bytes at most.
pub fn is_path(text: &str) -> bool {
    text.len() <= 200 && text.split('/').all(is_segment)
}

fn is_segment(segment: &str) -> bool {
    let head = |c: char| c.is_ascii_alphanumeric() || c == '_';
    segment.starts_with(head) && segment.chars().all(|c| head(c) || matches!(c, '.' | '-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_within_their_folder_and_on_their_line() {
        for good in ["a", "gateways/pool-gw/admin", "sensors/hall.2/app_key", "_x/1"] {
            assert!(is_path(good), "{good}");
        }
        for bad in ["", "/a", "a/", "a//b", "../a", "a/..", ".hidden", "a b", "a\nb", "é", "a:b", "-a"] {
            assert!(!is_path(bad), "{bad}");
        }
        assert!(!is_path(&"a".repeat(201)));
    }
}
