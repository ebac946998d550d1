//! A redeploy that is killed, cut, stalled or garbled at every request and every remote command: the next run
//! goes on by itself, and what was reported as done is done.

use std::fmt;
use std::time::{Duration, Instant};

use rocade::lab::{Channel, Knobs, RequestFault};

use crate::place::{Place, Ran};

/// What happens, at which request, exec or order of a run from the box.
#[derive(Clone, Copy, Debug)]
enum Point {
    /// The program is killed while the request is not done yet.
    KilledAtRequest(u32),
    /// The request ends like this.
    Request(u32, RequestFault),
    /// The program is killed while the exec is not done.
    KilledAtExec(u32),
    /// The connection ends before the exec.
    CutAtExec(u32),
    /// The exec is done, its answer is garbage.
    GarbledExec(u32),
    /// The order is done, and the connection ends.
    CutAtOrder(u32),
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

const FAULTS: [RequestFault; 6] = [
    RequestFault::CutBefore,
    RequestFault::CutAfter,
    RequestFault::Garbage,
    RequestFault::Half,
    RequestFault::Refuse,
    RequestFault::Stall,
];

impl Point {
    fn knobs(self) -> Knobs {
        let mut knobs = Knobs::default();
        match self {
            Point::KilledAtRequest(at) => knobs.at_request = Some((at, RequestFault::Stall)),
            Point::Request(at, fault) => knobs.at_request = Some((at, fault)),
            Point::KilledAtExec(at) => knobs.stall_at_exec = Some(at),
            Point::CutAtExec(at) => knobs.cut_at_exec = Some(at),
            Point::GarbledExec(at) => knobs.garble_at_exec = Some(at),
            Point::CutAtOrder(at) => knobs.cut_at_order = Some(at),
        }
        knobs
    }
}

/// How much a run from the box asks of the unit.
struct Size {
    requests: u32,
    execs: u32,
    orders: u32,
}

impl Size {
    fn of(place: &Place) -> Self {
        let log = place.gateway().log();
        let number = |count: usize| u32::try_from(count).unwrap();
        let entries = log.entries();
        let requests = entries.iter().filter(|entry| entry.channel == Channel::Api).count();
        let orders = place.writes().len() - entries_over_web(place);
        Self { requests: number(requests), execs: number(log.execs()), orders: number(orders) }
    }

    fn points(&self) -> Vec<Point> {
        let mut points = Vec::new();
        for at in 1..=self.requests {
            points.push(Point::KilledAtRequest(at));
            points.extend(FAULTS.map(|fault| Point::Request(at, fault)));
        }
        for at in 1..=self.execs {
            points.extend([Point::KilledAtExec(at), Point::CutAtExec(at), Point::GarbledExec(at)]);
        }
        points.extend((1..=self.orders).map(Point::CutAtOrder));
        points
    }
}

fn entries_over_web(place: &Place) -> usize {
    let entries = place.gateway().log().entries().into_iter();
    entries.filter(|entry| entry.channel == Channel::Api && entry.kind == rocade::lab::Deed::Write).count()
}

impl Place {
    /// A run that is killed at its n-th request over HTTPS, or its n-th exec.
    fn killed(&self, requests: u32, execs: u32) -> Ran {
        let words = ["redeploy", "pool-gw", "--yes", "--no-wait", "--patience", "20s"];
        let mut child = self.program().args(words).stderr(std::process::Stdio::null()).spawn().unwrap();
        let begin = Instant::now();
        let is_there = || {
            let log = self.gateway().log();
            let over_web = log.entries().iter().filter(|entry| entry.channel == Channel::Api).count();
            over_web >= requests as usize && log.execs() >= execs as usize
        };
        while !is_there() && child.try_wait().unwrap().is_none() {
            assert!(begin.elapsed() < Duration::from_secs(120), "it never came there");
            std::thread::sleep(Duration::from_millis(2));
        }
        child.kill().unwrap();
        let code = child.wait().unwrap().code();
        Ran { code, out: String::new(), err: String::new() }
    }

    /// Lives through one point and the run after it.
    async fn live_through(&self, point: Point) {
        self.press(35).await;
        self.forget_requests();
        self.gateway().knobs().set(|knobs| *knobs = point.knobs());
        let ran = match point {
            Point::KilledAtRequest(at) => self.killed(at, 0),
            Point::KilledAtExec(at) => self.killed(0, at),
            _ => self.redeploy(&[]),
        };
        self.gateway().knobs().set(|knobs| *knobs = Knobs::default());
        let reported = ran.code;
        assert!(
            matches!(reported, None | Some(0 | 1 | 3)),
            "{point}: {reported:?}\n{}\n{}",
            ran.out,
            ran.err
        );
        if reported == Some(0) {
            self.nothing_left();
        }
        let again = self.redeploy(&[]);
        let told = format!("{point}, the run ended with {reported:?}\n{}\n{}", ran.out, ran.err);
        assert_eq!(again.code, Some(0), "{told}\n-- and the next one:\n{}\n{}", again.out, again.err);
        self.nothing_left();
    }
}

/// Tries every n-th point; n is 1 for all of them.
async fn try_points(each: usize) {
    let place = Place::new().await;
    place.forget_requests();
    place.redeploy(&[]).ended(0);
    let size = Size::of(&place);
    let points = size.points();
    assert!(size.requests > 12 && size.execs > 2 && size.orders > 20, "it asks for little: {points:?}");
    let tried: Vec<Point> = points.iter().copied().step_by(each).collect();
    for point in &tried {
        place.live_through(*point).await;
    }
    let Size { requests, execs, orders } = size;
    eprintln!(
        "{} of {} points tried: {requests} requests, {execs} execs, {orders} orders; each run after it converged",
        tried.len(),
        points.len()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_cut_anywhere_is_run_again() {
    try_points(11).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes: cargo test --test redeploy -- --ignored --nocapture"]
async fn a_run_cut_at_every_point_is_run_again() {
    try_points(1).await;
}
