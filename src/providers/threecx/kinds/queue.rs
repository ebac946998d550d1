//! Queues. The order of agents is the order of a hunt.

use serde_json::{Map, Value as Json, json};

use super::super::directory::Directory;
use super::super::forms;
use super::super::kind::{Form, Kind, Patch, Plain, Unmade, Wishing, field_in, put_plain, see_plain};
use super::{GROUPS, Words, word_in};
use crate::inventory::{At, QueueRecording, QueueStrategy};
use crate::model::{Fields, Value};

pub struct Queues;

const PLAIN: &Plain = &[
    ("title", "Name"),
    ("max_callers", "MaxCallersInQueue"),
    ("announce_position", "AnnounceQueuePosition"),
];
const SECONDS: &[(&str, &str)] =
    &[("ring", "RingTimeout"), ("timeout", "MasterTimeout"), ("wrap_up", "WrapUpTime")];
const STRATEGIES: &Words<QueueStrategy> = &[
    (QueueStrategy::Hunt, "hunt", "Hunt"),
    (QueueStrategy::RingAll, "ring_all", "RingAll"),
    (QueueStrategy::HuntRandomStart, "hunt_random_start", "HuntRandomStart"),
    (QueueStrategy::NextAgent, "next_agent", "NextAgent"),
    (QueueStrategy::LongestWaiting, "longest_waiting", "LongestWaiting"),
    (QueueStrategy::LeastTalkTime, "least_talk_time", "LeastTalkTime"),
    (QueueStrategy::FewestAnswered, "fewest_answered", "FewestAnswered"),
    (QueueStrategy::HuntBy3s, "hunt_by3s", "HuntBy3s"),
    (QueueStrategy::First3Available, "first3_available", "First3Available"),
];
const RECORDING: &Words<QueueRecording> = &[
    (QueueRecording::Disabled, "disabled", "Disabled"),
    (QueueRecording::AllowToOptOut, "allow_to_opt_out", "AllowToOptOut"),
    (QueueRecording::AskToOptIn, "ask_to_opt_in", "AskToOptIn"),
];

fn numbers(wished: &[At<crate::inventory::NumberText>]) -> Vec<String> {
    wished.iter().map(|number| number.0.to_string()).collect()
}

impl Kind for Queues {
    fn collection(&self) -> &'static str {
        "queue"
    }

    fn set(&self) -> &'static str {
        "Queues"
    }

    fn query(&self, patch: Patch) -> String {
        format!(
            "$select=Id,Number,Name,PollingStrategy,RingTimeout,MasterTimeout,WrapUpTime,MaxCallersInQueue,\
             AnnounceQueuePosition,EnableIntro,IntroFile,OnHoldFile,Recording,ForwardNoAnswer,\
             OutOfOfficeRoute,BreakRoute,HolidaysRoute{}\
             &$expand=Agents($select=Number),Managers($select=Number),{GROUPS}",
            super::mailbox_query(patch)
        )
    }

    fn wish(&self, wishing: &mut Wishing<'_>) {
        let pbx = wishing.pbx;
        for (number, one) in &pbx.queues.entries {
            let mut form = Form::new(&one.place);
            form.set("title", one.title.as_str());
            form.option_at("department", one.department.as_ref(), |name| name.as_str().into());
            let agents = numbers(&one.agents);
            form.set("agents", agents.clone());
            form.option("managers", one.managers.as_ref(), |managers| numbers(managers).into());
            form.option("strategy", one.strategy.as_ref(), |wished| word_in(STRATEGIES, *wished));
            for (field, period) in [("ring", &one.ring), ("timeout", &one.timeout), ("wrap_up", &one.wrap_up)]
            {
                form.option_at(field, period.as_ref(), |period| forms::duration(period.as_secs()));
            }
            form.option("max_callers", one.max_callers.as_ref(), |most| Value::Int((*most).into()));
            form.option("announce_position", one.announce_position.as_ref(), |announce| (*announce).into());
            form.option_at("intro", one.intro.as_ref(), forms::prompt);
            form.option_at("music", one.music.as_ref(), forms::prompt);
            form.option_at("recording", one.recording.as_ref(), |wished| word_in(RECORDING, *wished));
            form.option_at("no_answer", one.no_answer.as_ref(), forms::destination);
            super::wish_routes(&mut form, [&one.when_closed, &one.on_break, &one.on_holiday]);
            form.option_at("mailbox", one.mailbox.as_ref(), super::mailbox);
            wishing.add("queue", number, form, format!("{}: {}", one.title, agents.join(", ")));
        }
    }

    fn see(&self, entity: &Json, directory: &Directory) -> Fields {
        let mut fields = Fields::new();
        see_plain(PLAIN, entity, &mut fields);
        super::see_department(entity, directory, &mut fields);
        fields.insert("agents".to_owned(), forms::seen_members(&entity["Agents"]));
        fields.insert("managers".to_owned(), forms::seen_members(&entity["Managers"]));
        super::see_word(STRATEGIES, entity, "PollingStrategy", "strategy", &mut fields);
        super::see_word(RECORDING, entity, "Recording", "recording", &mut fields);
        for (field, property) in SECONDS {
            fields.insert((*field).to_owned(), forms::seen_duration(&entity[*property]));
        }
        if entity["EnableIntro"] == true {
            fields.insert("intro".to_owned(), forms::seen_prompt(&entity["IntroFile"], directory));
        }
        fields.insert("music".to_owned(), forms::seen_prompt(&entity["OnHoldFile"], directory));
        fields.insert("no_answer".to_owned(), forms::seen_destination(&entity["ForwardNoAnswer"]));
        forms::see_routes(&forms::ROUTES, entity, directory, &mut fields);
        super::see_mailbox(entity, &mut fields);
        fields
    }

    fn change(
        &self,
        _name: &str,
        fields: &Fields,
        _entity: &Json,
        directory: &Directory,
    ) -> Result<Json, Unmade> {
        let mut body = Map::new();
        put_plain(PLAIN, fields, &mut body);
        super::put_department(fields, directory, &mut body)?;
        super::put_members(fields, "agents", "Agents", &mut body);
        super::put_members(fields, "managers", "Managers", &mut body);
        super::put_word(STRATEGIES, fields, "strategy", "PollingStrategy", &mut body);
        super::put_word(RECORDING, fields, "recording", "Recording", &mut body);
        SECONDS.iter().for_each(|(field, property)| super::put_seconds(fields, field, property, &mut body));
        if let Some(intro) = fields.get("intro") {
            body.insert("EnableIntro".to_owned(), json!(true));
            body.insert("IntroFile".to_owned(), json!(forms::to_prompt(intro, directory)?));
        }
        if let Some(music) = fields.get("music") {
            body.insert("OnHoldFile".to_owned(), json!(forms::to_prompt(music, directory)?));
        }
        super::put_destination(fields, "no_answer", "ForwardNoAnswer", &mut body);
        forms::put_routes(&forms::ROUTES, fields, directory, &mut body)?;
        super::put_mailbox(fields, &mut body);
        Ok(Json::Object(body))
    }

    fn field_of(&self, property: &str) -> Option<&'static str> {
        match property {
            "Agents" => Some("agents"),
            "Managers" => Some("managers"),
            "Groups" => Some("department"),
            "ForwardNoAnswer" => Some("no_answer"),
            "PollingStrategy" => Some("strategy"),
            "Recording" => Some("recording"),
            "IntroFile" | "EnableIntro" => Some("intro"),
            "OnHoldFile" => Some("music"),
            "VMEmailList" | "VMEmailOptions" => Some("mailbox"),
            _ => field_in(PLAIN, property)
                .or_else(|| field_in(SECONDS, property))
                .or_else(|| field_in(&forms::ROUTES, property)),
        }
    }
}
