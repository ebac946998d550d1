//! MQTT topics and filters (MQTT 3.1.1, chapter 4.7), narrowed to what rocade writes into access lists.

/// Why a text is no topic to publish readings to.
pub(super) fn topic_fault(topic: &str) -> Option<&'static str> {
    if topic.contains(['+', '#']) {
        return Some("a topic to publish to has no wildcard");
    }
    if topic == "rocade" || topic.starts_with("rocade/") {
        return Some("`rocade/` is kept for the relays' own messages");
    }
    level_fault(topic)
}

/// Why a text is no topic filter.
pub(super) fn filter_fault(filter: &str) -> Option<&'static str> {
    let levels: Vec<&str> = filter.split('/').collect();
    if levels.iter().any(|level| level.contains(['+', '#']) && level.len() > 1) {
        return Some("a wildcard stands alone in its level");
    }
    if levels.iter().rev().skip(1).any(|level| *level == "#") {
        return Some("`#` stands only at the end");
    }
    level_fault(filter)
}

fn level_fault(topic: &str) -> Option<&'static str> {
    if topic.starts_with('$') {
        Some("topics with `$` at the start belong to the broker")
    } else if topic.split('/').any(str::is_empty) {
        Some("a level is empty: no `/` at the start or the end, nor two together")
    } else if topic.chars().any(char::is_control) || topic.trim() != topic {
        Some("it has control characters, or blanks around it")
    } else if topic.len() > 1024 {
        Some("it is longer than 1024 bytes")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_and_filters_differ_by_their_wildcards() {
        assert_eq!(topic_fault("sites/pool/hall"), None);
        assert_eq!(filter_fault("sites/+/hall/#"), None);
        assert_eq!(filter_fault("#"), None);
        for bad in ["", "/a", "a/", "a//b", "$SYS/x", "a/#", "a/+/b", "rocade/x", "rocade", "a\nb", " a"] {
            assert!(topic_fault(bad).is_some(), "{bad:?}");
        }
        for bad in ["", "a/#/b", "a+/b", "a/b#", "$SYS/#", "a\u{0}b"] {
            assert!(filter_fault(bad).is_some(), "{bad:?}");
        }
    }
}
