//! The share of all targets that one of several machines takes: in words, or as the machine's job says.

use crate::plan::Shard;

/// `K/N`; `auto` or `auto/N` asks the environment of the job.
pub fn shard(text: &str) -> Result<Shard, String> {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    match text.strip_prefix("auto") {
        Some("") => of_job(None, variable),
        Some(total) if total.starts_with('/') => of_job(Some(&total[1..]), variable),
        _ => text.parse().map_err(|fault: crate::plan::ShardFault| fault.to_string()),
    }
}

/// The share of a CI job: GitLab counts from 1, Kubernetes from 0 and does not say how many there are. Only asked
/// for by `auto`: GitLab sets its variables in jobs too that are parallel for another reason, and a share taken
/// unasked would leave targets out.
fn of_job(total: Option<&str>, variable: impl Fn(&str) -> Option<String>) -> Result<Shard, String> {
    let number = |name: &str, text: String| {
        text.parse::<u32>().map_err(|_| format!("`{text}` of {name} is no whole number"))
    };
    let total = total.map(|total| number("auto/N", total.to_owned())).transpose()?;
    let read = |name: &str| variable(name).map(|text| number(name, text)).transpose();
    let given = match (read("JOB_COMPLETION_INDEX")?, read("CI_NODE_INDEX")?) {
        (Some(_), Some(_)) => {
            return Err("both JOB_COMPLETION_INDEX and CI_NODE_INDEX are set: write K/N".to_owned());
        }
        (Some(index), None) => (index.saturating_add(1), total.or(read("ROCADE_SHARD_TOTAL")?)),
        (None, Some(index)) => (index, total.or(read("CI_NODE_TOTAL")?)),
        (None, None) => {
            return Err("neither CI_NODE_INDEX nor JOB_COMPLETION_INDEX is set: write K/N".to_owned());
        }
    };
    let (index, Some(total)) = given else {
        return Err(
            "how many shares there are is not said: write auto/N, or set ROCADE_SHARD_TOTAL".to_owned()
        );
    };
    Shard::new(index, total).ok_or_else(|| format!("there is no share {index} of {total}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(total: Option<&str>, set: &[(&str, &str)]) -> Result<String, String> {
        let variable = |name: &str| set.iter().find(|(key, _)| *key == name).map(|(_, v)| (*v).to_owned());
        of_job(total, variable).map(|shard| shard.to_string())
    }

    #[test]
    fn gitlab_counts_from_one_and_kubernetes_from_zero() {
        let gitlab = [("CI_NODE_INDEX", "1"), ("CI_NODE_TOTAL", "4")];
        assert_eq!(of(None, &gitlab).unwrap(), "1/4");
        assert_eq!(of(Some("8"), &[("JOB_COMPLETION_INDEX", "7")]).unwrap(), "8/8");
        let kubernetes = [("JOB_COMPLETION_INDEX", "0"), ("ROCADE_SHARD_TOTAL", "3")];
        assert_eq!(of(None, &kubernetes).unwrap(), "1/3");
    }

    #[test]
    fn what_is_not_said_is_not_guessed() {
        assert!(of(None, &[]).unwrap_err().contains("neither"));
        assert!(of(None, &[("JOB_COMPLETION_INDEX", "0")]).unwrap_err().contains("auto/N"));
        assert!(of(Some("2"), &[("JOB_COMPLETION_INDEX", "2")]).unwrap_err().contains("no share 3 of 2"));
        assert!(of(None, &[("CI_NODE_INDEX", "0"), ("CI_NODE_TOTAL", "4")]).is_err());
        assert!(of(None, &[("CI_NODE_INDEX", "x"), ("CI_NODE_TOTAL", "4")]).unwrap_err().contains("`x`"));
        assert!(of(Some("4"), &[("JOB_COMPLETION_INDEX", "0"), ("CI_NODE_INDEX", "1")]).is_err());
        assert!(shard("0/3").is_err() && shard("4/3").is_err() && shard("auto2").is_err());
    }
}
