//! One round of requests: every action of the catalog, denials, a failed creation, a panic and a
//! disconnected client.

use examples::service::UNREACHABLE;
use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::client::{PASSWORD, text};
use crate::common::Result;
use crate::environment::Environment;
use crate::expected::{Expected, Outcome};

/// Sends the requests one after the other, and returns the expected events.
pub(crate) async fn drive(environment: &Environment) -> Result<Vec<Expected>> {
    use Outcome::{Abandoned, Denied, Failed, Panicked, Succeeded};
    use StatusCode as S;

    let expect = |action, actor, outcome, targets: &[(&str, &str)]| {
        Expected::new(action, actor, &environment.organization, outcome, targets)
    };
    let anonymous = environment.client()?;
    let mut events = Vec::new();

    // Authentication
    let ada = anonymous.sign_in("ada").await?;
    let ben = anonymous.sign_in("ben").await?;
    let vic = anonymous.sign_in("vic").await?;
    for user in ["user_ada", "user_ben", "user_vic"] {
        events.push(expect("user.sign_in", user, Succeeded, &[("user", user)]));
    }
    let wrong = json!({ "email": "ada@acme.test", "password": "guessed" });
    anonymous
        .send(Method::POST, "/sessions", Some(wrong), S::UNAUTHORIZED)
        .await?;
    events.push(expect(
        "user.sign_in_failed",
        "anonymous",
        Denied,
        &[("user", "ada@acme.test")],
    ));

    // Data
    let plan = json!({ "title": "Plan 2027", "pages": 12 });
    let plan = text(
        &ada.send(Method::POST, "/documents", Some(plan), S::CREATED)
            .await?,
        "id",
    )?;
    events.push(expect(
        "document.create",
        "user_ada",
        Succeeded,
        &[("document", &plan)],
    ));
    let untitled = json!({ "title": "" });
    ben.send(
        Method::POST,
        "/documents",
        Some(untitled),
        S::UNPROCESSABLE_ENTITY,
    )
    .await?;
    events.push(expect(
        "document.create",
        "user_ben",
        Failed,
        &[("document", "unresolved")],
    ));
    // A list is not audited.
    vic.send(Method::GET, "/documents", None, S::OK).await?;
    let share = json!({ "user": "ben@acme.test", "role": "member" });
    ada.send(
        Method::POST,
        &format!("/documents/{plan}/shares"),
        Some(share),
        S::NO_CONTENT,
    )
    .await?;
    events.push(expect(
        "document.share",
        "user_ada",
        Succeeded,
        &[("document", &plan), ("user", "ben@acme.test")],
    ));
    ben.send(
        Method::GET,
        &format!("/documents/{plan}/pages/2"),
        None,
        S::OK,
    )
    .await?;
    events.push(expect(
        "document.download",
        "user_ben",
        Succeeded,
        &[("document", &plan)],
    ));
    ben.send_and_get_no_response(Method::GET, &format!("/documents/{plan}/pages/0"))
        .await?;
    events.push(expect(
        "document.download",
        "user_ben",
        Panicked,
        &[("document", &plan)],
    ));
    vic.send(
        Method::DELETE,
        &format!("/documents/{plan}"),
        None,
        S::FORBIDDEN,
    )
    .await?;
    events.push(expect(
        "document.delete",
        "user_vic",
        Denied,
        &[("document", &plan)],
    ));
    ada.send(
        Method::DELETE,
        &format!("/documents/{plan}"),
        None,
        S::NO_CONTENT,
    )
    .await?;
    events.push(expect(
        "document.delete",
        "user_ada",
        Succeeded,
        &[("document", &plan)],
    ));

    // Administration
    let invite = |email: &str| json!({ "email": email, "role": "viewer" });
    let joe = ada
        .send(
            Method::POST,
            "/members",
            Some(invite("joe@acme.test")),
            S::CREATED,
        )
        .await?;
    events.push(expect(
        "member.invite",
        "user_ada",
        Succeeded,
        &[("user", "joe@acme.test")],
    ));
    ben.send(
        Method::POST,
        "/members",
        Some(invite("eve@acme.test")),
        S::FORBIDDEN,
    )
    .await?;
    events.push(expect(
        "member.invite",
        "user_ben",
        Denied,
        &[("user", "eve@acme.test")],
    ));
    let unreachable = format!("kim@{UNREACHABLE}");
    ada.send_and_disconnect(
        "/members",
        &invite(&unreachable),
        environment.mailer.blocked(),
    )
    .await?;
    events.push(expect(
        "member.invite",
        "user_ada",
        Abandoned,
        &[("user", &unreachable)],
    ));
    let joe = text(&joe, "id")?;
    ada.send(
        Method::DELETE,
        &format!("/members/{joe}"),
        None,
        S::NO_CONTENT,
    )
    .await?;
    events.push(expect(
        "member.remove",
        "user_ada",
        Succeeded,
        &[("user", &joe)],
    ));

    // Security
    let label = json!({ "label": "continuous integration" });
    let key = text(
        &ada.send(Method::POST, "/api-keys", Some(label), S::CREATED)
            .await?,
        "id",
    )?;
    events.push(expect(
        "api_key.create",
        "user_ada",
        Succeeded,
        &[("api_key", &key)],
    ));
    ada.send(
        Method::DELETE,
        &format!("/api-keys/{key}"),
        None,
        S::NO_CONTENT,
    )
    .await?;
    events.push(expect(
        "api_key.revoke",
        "user_ada",
        Succeeded,
        &[("api_key", &key)],
    ));
    let change = json!({ "old": PASSWORD, "new": "battery staple" });
    ben.send(
        Method::PUT,
        "/account/password",
        Some(change),
        S::NO_CONTENT,
    )
    .await?;
    events.push(expect(
        "user.change_password",
        "user_ben",
        Succeeded,
        &[("user", "user_ben")],
    ));
    ada.send(
        Method::POST,
        "/account/mfa",
        Some(json!({ "hardware": true })),
        S::NO_CONTENT,
    )
    .await?;
    events.push(expect(
        "user.enable_mfa",
        "user_ada",
        Succeeded,
        &[("user", "user_ada")],
    ));
    Ok(events)
}
