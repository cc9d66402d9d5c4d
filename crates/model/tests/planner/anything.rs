//! Plans from whatever may be seen on a host.

use super::*;

fn any_state() -> impl Strategy<Value = SlotState> {
    prop_oneof![
        Just(SlotState::Empty),
        Just(SlotState::Building),
        Just(SlotState::Ready),
        Just(SlotState::Live),
        Just(SlotState::Retired),
        Just(SlotState::Failed),
    ]
}

fn any_slot() -> impl Strategy<Value = Option<SlotFacts>> {
    let record = proptest::option::of((any_state(), 1u8..6, proptest::option::of(1u8..6)));
    let slot = (record, proptest::option::of(1u8..6)).prop_map(|(record, commit)| {
        let mut seen = SlotFacts::default();
        if let Some((state, number, former)) = record {
            let built = bare().slot_with_former("a", state, number, former);
            seen = built.0.slots.into_values().next().expect("it was just put there");
        }
        if let Some(number) = commit {
            seen.commit = Some(release(number).commit);
        }
        seen
    });
    proptest::option::weighted(0.8, slot)
}

/// Facts of a host on which anything may have happened.
fn any_facts() -> impl Strategy<Value = HostFacts> {
    let link = prop_oneof![
        4 => Just("a"), 4 => Just("b"), 4 => Just("c"), 1 => Just(""), 1 => Just("/srv/old"), 1 => Just("folder"),
        1 => Just("./b"), 1 => Just("/var/webapps/five/releases/a"),
    ];
    (proptest::collection::vec(any_slot(), 3), link, any::<bool>()).prop_map(|(slots, link, has_folders)| {
        let mut facts = bare().0;
        facts.exists = has_folders;
        facts.has_folders = has_folders;
        for (name, slot) in ["a", "b", "c"].into_iter().zip(slots) {
            facts.slots.extend(slot.map(|slot| (SlotName::new(name).expect("a slot"), slot)));
        }
        let name = link.rsplit('/').next().unwrap_or_default();
        facts.current = match facts.slots.keys().find(|slot| slot.as_str() == name) {
            _ if link.is_empty() => CurrentLink::Missing,
            _ if link == "folder" => CurrentLink::NotALink,
            _ if name == "old" => CurrentLink::Elsewhere(link.to_owned()),
            Some(slot) => CurrentLink::Slot(slot.clone()),
            None => CurrentLink::Dangling(link.to_owned()),
        };
        facts
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Whatever was seen: no plan has a finding, and none overwrites what is live.
    #[test]
    fn no_plan_can_do_harm(
        facts in proptest::collection::vec(any_facts(), 1..4),
        slots in 2usize..4,
        number in 1u8..7,
        force: bool,
        take_over: bool,
        waves in 0u32..3,
        between in proptest::sample::subsequence(
            vec!["batch = 1\n", "bake_seconds = 30\n", "on_wave_failure = \"stop\"\n", "drain = \"file\"\n"],
            0..=4,
        ),
    ) {
        let names = ["\"a\"", "\"b\"", "\"c\""][..slots].join(", ");
        let waves = if waves == 0 { String::new() } else { format!("waves = [{waves}]\n") } + &between.concat();
        let text = format!("release_paths = [{names}]\n{waves}\n[hooks]\nbuild = \"make\"\nonce = \"migrate\"\nverify = \"curl\"");
        let settings = fleet(&text, facts.len());
        let hosts: Vec<Seen> = facts.into_iter().map(|mut facts| {
            facts.slots.retain(|slot, _| settings.layout.release_paths.contains(slot));
            if let CurrentLink::Slot(slot) = &facts.current
                && !facts.slots.contains_key(slot)
            {
                facts.current = CurrentLink::Elsewhere(slot.to_string());
            }
            Seen(facts)
        }).collect();
        let request = DeployRequest { force, take_over, ..request(number) };
        let plans = [
            plan_deploy(&settings, &run(60), &request, &seen(&settings, &hosts)),
            plan_rollback(&settings, &run(60), &RollbackRequest::new(URL, Schema::Refuse), &seen(&settings, &hosts)),
            plan_restart(&settings, &run(60), &seen(&settings, &hosts)),
        ];
        for plan in plans.iter().flatten() {
            assert_sound(plan);
            for (planned, seen) in plan.hosts.iter().zip(&hosts) {
                if let Some(target) = &planned.to {
                    prop_assert_ne!(Some(&target.slot), seen.0.live_slot());
                }
            }
        }
    }
}
