//! The tests of the ends, generic over the framework.

use audit_tower::Outcome::{Abandoned, Denied, Failed, Panicked, Succeeded};

use crate::setup::{Framework, Request, Side, World};

pub(crate) async fn success<F: Framework>() {
    let mut world = World::<F>::start(None, None).await;
    let status = world.status(Request::Delete).await.unwrap();
    assert!((200..300).contains(&status), "{status}");
    world.assert_event(Request::Delete, Succeeded).await;
}

pub(crate) async fn denial<F: Framework>() {
    let mut world = World::<F>::start(None, None).await;
    assert_eq!(world.status(Request::DeleteForbidden).await, Some(403));
    world.assert_event(Request::DeleteForbidden, Denied).await;
}

pub(crate) async fn failure<F: Framework>() {
    let mut world = World::<F>::start(None, None).await;
    assert_eq!(world.status(Request::DeleteBroken).await, Some(500));
    world.assert_event(Request::DeleteBroken, Failed).await;
}

pub(crate) async fn panic<F: Framework>() {
    let mut world = World::<F>::start(None, None).await;
    assert_eq!(world.status(Request::DeletePanicking).await, None);
    world.assert_event(Request::DeletePanicking, Panicked).await;
}

pub(crate) async fn panic_caught_inside<F: Framework>() {
    panic_caught::<F>(Side::Inside).await;
}

pub(crate) async fn panic_caught_outside<F: Framework>() {
    panic_caught::<F>(Side::Outside).await;
}

async fn panic_caught<F: Framework>(side: Side) {
    let mut world = World::<F>::start(None, Some(side)).await;
    assert_eq!(world.status(Request::DeletePanicking).await, Some(500));
    world.assert_event(Request::DeletePanicking, Panicked).await;
}

pub(crate) async fn timeout_inside<F: Framework>() {
    timeout::<F>(Side::Inside).await;
}

pub(crate) async fn timeout_outside<F: Framework>() {
    timeout::<F>(Side::Outside).await;
}

async fn timeout<F: Framework>(side: Side) {
    let mut world = World::<F>::start(Some(side), None).await;
    assert_eq!(world.status(Request::DeleteSlow).await, Some(408));
    world.assert_event(Request::DeleteSlow, Abandoned).await;
}

pub(crate) async fn disconnect_before<F: Framework>() {
    let mut world = World::<F>::start(None, None).await;
    let sent = world.send(Request::DeleteSlow).await;
    world.gate.wait_until_reached().await;
    drop(sent);
    world.assert_event(Request::DeleteSlow, Abandoned).await;
}

pub(crate) async fn disconnect_after<F: Framework>() {
    let mut world = World::<F>::start(None, None).await;
    let sent = world.send(Request::DeleteHeld).await;
    world.gate.wait_until_reached().await;
    drop(sent);
    world.assert_event(Request::DeleteHeld, Succeeded).await;
}

pub(crate) async fn stream<F: Framework>() {
    let mut world = World::<F>::start(None, None).await;
    let mut sent = world.send(Request::Stream).await;
    assert_eq!(F::status(&mut sent).await, Some(200));
    drop(sent);
    world.assert_event(Request::Stream, Succeeded).await;
}

pub(crate) async fn upgrade<F: Framework>() {
    let mut world = World::<F>::start(None, None).await;
    assert_eq!(world.status(Request::Upgrade).await, Some(101));
    world.assert_event(Request::Upgrade, Succeeded).await;
}

pub(crate) async fn head<F: Framework>() {
    let mut world = World::<F>::start(None, None).await;
    assert_eq!(world.status(Request::Head).await, Some(200));
    world.assert_event(Request::Head, Succeeded).await;
}

pub(crate) async fn options<F: Framework>() {
    let mut world = World::<F>::start(None, None).await;
    assert_eq!(world.status(Request::Options).await, Some(204));
    world.assert_event(Request::Options, Succeeded).await;
}
