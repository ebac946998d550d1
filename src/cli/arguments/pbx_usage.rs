//! The words of `pbx stats` and `pbx size`.

use clap::Args;
use jiff::civil::Date;

/// `pbx stats`.
#[derive(Debug, Args)]
pub struct PbxStats {
    /// The PBX.
    pub name: String,
    /// Which days.
    #[command(flatten)]
    pub period: Period,
    /// Show the numbers of callers whole. They are personal data: by default their middle is hidden.
    #[arg(long)]
    pub numbers: bool,
}

/// Days on the clock of the PBX's site.
#[derive(Debug, Args)]
pub struct Period {
    /// The first day; 30 days before the last one when absent.
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub from: Option<Date>,
    /// The last day; today when absent.
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub to: Option<Date>,
}

/// `pbx size`.
#[derive(Debug, Args)]
pub struct PbxSize {
    /// The PBX whose trunks are held against it, and whose history is read when no people are given.
    pub name: Option<String>,
    /// How many people telephone.
    #[arg(long, value_name = "COUNT", requires = "minutes_per_day", value_parser = clap::value_parser!(u32).range(1..))]
    pub users: Option<u32>,
    /// How many minutes each of them telephones a day.
    #[arg(long, value_name = "MINUTES", requires = "users", value_parser = positive)]
    pub minutes_per_day: Option<f64>,
    /// The part of a day's minutes that falls into its busiest hour.
    #[arg(long, value_name = "PERCENT", default_value = "15%", value_parser = share)]
    pub busy_hour_share: f64,
    /// The part of calls that may find all channels taken in that hour.
    #[arg(long, value_name = "PERCENT", default_value = "1%", value_parser = share)]
    pub blocking: f64,
    /// The simultaneous calls of the licence (its SC); asked of the PBX where its history is read.
    #[arg(long, value_name = "CALLS")]
    pub licence: Option<u32>,
    /// Which days of the history.
    #[command(flatten)]
    pub period: Period,
}

fn share(text: &str) -> Result<f64, String> {
    let (number, whole) = match text.trim().strip_suffix('%') {
        Some(number) => (number, 100.0),
        None => (text, 1.0),
    };
    let share = number.trim().parse::<f64>().map(|number| number / whole);
    let fits = |share: &f64| *share > 0.0 && *share <= 1.0;
    share.ok().filter(fits).ok_or_else(|| "write a part such as `15%` or `0.15`".to_owned())
}

fn positive(text: &str) -> Result<f64, String> {
    let number = text.parse::<f64>().ok().filter(|number| *number > 0.0 && *number <= 1440.0);
    number.ok_or_else(|| "write minutes a day, at most 1440".to_owned())
}
