//! Claim: the location of an event is the peer's address, and comes from a header only with trusted
//! proxies.

use actix_web::{HttpResponse, web};
use audit_actix::{TrustedProxies, audited};

use crate::support::{CurrentUser, TestServer};

#[audited(action = "document.delete", target(document = 1))]
async fn delete() -> HttpResponse {
    HttpResponse::NoContent().finish()
}

/// Returns the location of the event of a request with [`LINES`].
async fn location(proxies: Option<TrustedProxies>) -> String {
    let routes = |config: &mut web::ServiceConfig| {
        config.route("/", web::delete().to(delete));
    };
    let server = TestServer::start_with(routes, |audit| {
        let audit = audit.principal::<CurrentUser>();
        match proxies {
            Some(proxies) => audit.trusted_proxies(proxies),
            None => audit,
        }
    });
    assert_eq!(server.send_with("DELETE", "/", LINES).await, Some(204));
    let (events, _) = server.end().await;
    events[0].location().unwrap().to_owned()
}

/// Header lines: of the two with a list, the client sent the first, and its proxy the second.
const LINES: &str = "x-forwarded-for: 198.51.100.1\r\nforwarded: for=198.51.100.2, for=203.0.113.8\r\n\
                     X-Forwarded-For: 203.0.113.7, 10.0.0.9\r\nx-real-ip: 203.0.113.6\r\n";

#[actix_web::test]
async fn headers_are_not_read_without_trusted_proxies() {
    assert_eq!(location(None).await, "127.0.0.1");
}

#[actix_web::test]
async fn only_the_configured_header_is_read() {
    let networks = ["127.0.0.0/8", "10.0.0.0/8"];
    for (proxies, expected) in [
        (TrustedProxies::x_forwarded_for(networks), "203.0.113.7"),
        (TrustedProxies::forwarded(networks), "203.0.113.8"),
        (TrustedProxies::header("X-Real-IP", networks), "203.0.113.6"),
        (
            TrustedProxies::header("true-client-ip", networks),
            "127.0.0.1",
        ),
    ] {
        assert_eq!(location(Some(proxies.unwrap())).await, expected);
    }
}

#[actix_web::test]
async fn untrusted_peer_is_the_client() {
    let proxies = TrustedProxies::x_forwarded_for(["10.0.0.0/8"]).unwrap();
    assert_eq!(location(Some(proxies)).await, "127.0.0.1");
}
