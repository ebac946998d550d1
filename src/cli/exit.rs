//! Exit codes. Each says one thing; the README lists them.

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Done, or nothing to do.
    Done,
    /// Failed; nothing was changed or it is not known.
    Failed,
    /// Changes are pending (`plan --detailed-exitcode`, `drift`).
    Pending,
    /// Applied in part.
    Partial,
    /// Rolled back.
    RolledBack,
    /// Another run holds the lock.
    Locked,
    /// Refused by a guard: a stale plan, too many deletes, no approval.
    Refused,
    /// Wrong usage or a faulty inventory.
    Usage,
    /// Interrupted by the person.
    Interrupted,
}

impl Exit {
    /// How it ended, for people.
    pub fn words(self) -> &'static str {
        match self {
            Exit::Done => "done",
            Exit::Failed => "failed",
            Exit::Pending => "changes pending",
            Exit::Partial => "done in part",
            Exit::RolledBack => "put back",
            Exit::Locked => "locked",
            Exit::Refused => "refused",
            Exit::Usage => "wrong usage",
            Exit::Interrupted => "interrupted",
        }
    }

    /// The process's exit code.
    pub fn code(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Pending => 2,
            Exit::Partial => 3,
            Exit::RolledBack => 4,
            Exit::Locked => 5,
            Exit::Refused => 6,
            Exit::Usage => 64,
            Exit::Interrupted => 130,
        }
    }
}
