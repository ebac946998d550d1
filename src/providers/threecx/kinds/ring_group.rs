//! Ring groups. The order of members is the order of a hunt.

use serde_json::{Map, Value as Json};

use super::super::directory::Directory;
use super::super::forms;
use super::super::kind::{Form, Kind, Patch, Plain, Unmade, Wishing, field_in, put_plain, see_plain};
use super::{GROUPS, Words, word_in};
use crate::inventory::RingStrategy;
use crate::model::Fields;

pub struct RingGroups;

const PLAIN: &Plain = &[("title", "Name")];
const STRATEGIES: &Words<RingStrategy> = &[
    (RingStrategy::Hunt, "hunt", "Hunt"),
    (RingStrategy::RingAll, "ring_all", "RingAll"),
    (RingStrategy::Paging, "paging", "Paging"),
];

impl Kind for RingGroups {
    fn collection(&self) -> &'static str {
        "ring_group"
    }

    fn set(&self) -> &'static str {
        "RingGroups"
    }

    fn query(&self, patch: Patch) -> String {
        format!(
            "$select=Id,Number,Name,RingStrategy,RingTime,ForwardNoAnswer,OutOfOfficeRoute,BreakRoute,HolidaysRoute{}\
             &$expand=Members($select=Number),{GROUPS}",
            super::mailbox_query(patch)
        )
    }

    fn wish(&self, wishing: &mut Wishing<'_>) {
        let pbx = wishing.pbx;
        for (number, one) in &pbx.ring_groups.entries {
            let mut form = Form::new(&one.place);
            form.set("title", one.title.as_str());
            form.option_at("department", one.department.as_ref(), |name| name.as_str().into());
            let members: Vec<String> = one.members.iter().map(|member| member.0.to_string()).collect();
            form.set("members", members.clone());
            form.option("strategy", one.strategy.as_ref(), |wished| word_in(STRATEGIES, *wished));
            form.option_at("timeout", one.timeout.as_ref(), |timeout| forms::duration(timeout.as_secs()));
            form.option_at("no_answer", one.no_answer.as_ref(), forms::destination);
            super::wish_routes(&mut form, [&one.when_closed, &one.on_break, &one.on_holiday]);
            form.option_at("mailbox", one.mailbox.as_ref(), super::mailbox);
            wishing.add("ring_group", number, form, format!("{}: {}", one.title, members.join(", ")));
        }
    }

    fn see(&self, entity: &Json, directory: &Directory) -> Fields {
        let mut fields = Fields::new();
        see_plain(PLAIN, entity, &mut fields);
        super::see_department(entity, directory, &mut fields);
        fields.insert("members".to_owned(), forms::seen_members(&entity["Members"]));
        super::see_word(STRATEGIES, entity, "RingStrategy", "strategy", &mut fields);
        fields.insert("timeout".to_owned(), forms::seen_duration(&entity["RingTime"]));
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
        super::put_members(fields, "members", "Members", &mut body);
        super::put_word(STRATEGIES, fields, "strategy", "RingStrategy", &mut body);
        super::put_seconds(fields, "timeout", "RingTime", &mut body);
        super::put_destination(fields, "no_answer", "ForwardNoAnswer", &mut body);
        forms::put_routes(&forms::ROUTES, fields, directory, &mut body)?;
        super::put_mailbox(fields, &mut body);
        Ok(Json::Object(body))
    }

    fn field_of(&self, property: &str) -> Option<&'static str> {
        match property {
            "Members" => Some("members"),
            "Groups" => Some("department"),
            "ForwardNoAnswer" => Some("no_answer"),
            "RingTime" => Some("timeout"),
            "RingStrategy" => Some("strategy"),
            "VMEmailList" | "VMEmailOptions" => Some("mailbox"),
            _ => field_in(PLAIN, property).or_else(|| field_in(&forms::ROUTES, property)),
        }
    }
}
