//! A request that waits at a gate, so that something can happen just then.

use capol::sandbox::{Effect, Faults, Gate, Kind, Rule, When};

use super::{Bench, POLICIES, options, policy};

fn holding(gate: &Gate, commit: bool) -> Faults {
    let effect = Effect::Hold {
        commit,
        gate: gate.clone(),
    };
    Faults::none().with(Rule::new(When::Only(2), effect).method("POST"))
}

#[tokio::test]
async fn a_request_waits_at_a_gate_until_it_opens() {
    for commit in [false, true] {
        let bench = Bench::start(options()).await;
        let gate = Gate::new();
        bench.running.set_faults(holding(&gate, commit));
        bench.post(POLICIES, &policy("first")).await;
        let second = policy("second");
        let count = || bench.running.with_tenant(|tenant| tenant.count(Kind::Policies));
        let (made, ()) = tokio::join!(bench.post(POLICIES, &second), async {
            gate.arrived().await;
            assert_eq!(count(), if commit { 2 } else { 1 });
            gate.open();
        });
        assert_eq!((count(), gate.arrivals()), (2, 1));
        assert_eq!(made["displayName"], "second");
        bench.post(POLICIES, &policy("third")).await;
    }
}

/// What `kill -9` of the client does to its connection.
#[tokio::test]
async fn a_client_that_goes_away_at_the_gate_leaves_what_was_carried_out_and_no_more() {
    for commit in [false, true] {
        let bench = Bench::start(options()).await;
        let gate = Gate::new();
        bench.running.set_faults(holding(&gate, commit));
        bench.post(POLICIES, &policy("first")).await;
        let second = policy("second");
        tokio::select! {
            answer = bench.try_send("POST", POLICIES, Some(&second)) => panic!("{answer:?}"),
            () = gate.arrived() => {}
        }
        gate.deserted().await;
        gate.open();
        bench.get(POLICIES).await;
        let count = bench.running.with_tenant(|tenant| tenant.count(Kind::Policies));
        assert_eq!(count, if commit { 2 } else { 1 });
    }
}
