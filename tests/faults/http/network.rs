//! Connection faults: DNS, ports and certificates.

use std::collections::HashSet;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use audit_tower::HealthState;
use audit_tower::testing::assert_balanced;
use rcgen::{CertificateParams, DnType, KeyPair, date_time_ymd};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::support::{PATIENCE, all_delivered, by_key, client, event, health, record, recorder};
use crate::server::{Reply, Server, Tls};

/// A resolver with a settable address that counts its lookups.
#[derive(Clone)]
struct Names {
    address: Arc<Mutex<Option<IpAddr>>>,
    lookups: watch::Sender<usize>,
}

impl Names {
    fn unknown() -> Self {
        Self {
            address: Arc::default(),
            lookups: watch::Sender::new(0),
        }
    }

    fn set(&self, address: Option<IpAddr>) {
        *self.address.lock().unwrap() = address;
    }

    fn look_up(&self) -> io::Result<Vec<IpAddr>> {
        self.lookups.send_modify(|lookups| *lookups += 1);
        let address = *self.address.lock().unwrap();
        let address = address.ok_or_else(|| io::Error::other("no such name"))?;
        Ok(vec![address])
    }

    /// Waits until this many lookups were made in total.
    async fn wait_for_lookups(&self, count: usize) {
        let mut lookups = self.lookups.subscribe();
        let enough = lookups.wait_for(|lookups| *lookups >= count);
        let waited = tokio::time::timeout(PATIENCE, enough).await;
        drop(waited.unwrap().unwrap());
    }
}

#[tokio::test]
async fn fault_27_unresolved_host_keeps_events_and_each_connection_resolves_again() {
    let old = Server::start(|_, _| Reply::success().then_close()).await;
    let elsewhere = SocketAddr::new(Ipv4Addr::new(127, 0, 0, 2).into(), old.address().port());
    let new = Server::start_at(elsewhere, Tls::default(), |_, _| Reply::success()).await;

    let names = Names::unknown();
    let lookup = names.clone();
    let url = format!("http://audit.localhost:{}", old.address().port());
    let recorder = recorder(client(url).resolver(move |name| {
        assert_eq!(name, "audit.localhost");
        std::future::ready(lookup.look_up())
    }));
    record(&recorder, 5);
    let found = health(&recorder, |health| health.state == HealthState::Degraded).await;
    assert!(found.reason.unwrap().contains("the sink is down"));
    // The client retries the lookup by itself.
    let before = *names.lookups.borrow();
    names.wait_for_lookups(before + 2).await;
    let stats = recorder.stats();
    assert_eq!((stats.pending, stats.dead, stats.lost), (5, 0, 0));
    assert_balanced(&recorder);

    names.set(Some(old.address().ip()));
    assert_eq!(recorder.flush(PATIENCE).await.pending, 0);
    assert_eq!(by_key(old.journal()).len(), 5);

    // The name disappears, and returns with another address.
    names.set(None);
    let before = *names.lookups.borrow();
    recorder.record(event(5)).unwrap();
    names.wait_for_lookups(before + 2).await;
    names.set(Some(elsewhere.ip()));
    all_delivered(&recorder).await;
    assert_eq!((old.journal().len(), new.journal().len()), (5, 1));
}

#[tokio::test]
async fn fault_28_closed_port_keeps_events_until_it_opens() {
    // A port that was just free, so connections to it are refused.
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = taken.local_addr().unwrap();
    drop(taken);
    let recorder = recorder(client(format!("http://{address}")));
    record(&recorder, 5);
    let found = health(&recorder, |health| health.state == HealthState::Degraded).await;
    let reason = found.reason.unwrap();
    assert!(
        reason.contains("the sink is down") && !reason.contains("TLS:"),
        "{reason}"
    );
    let stats = recorder.stats();
    assert_eq!((stats.pending, stats.dead, stats.lost), (5, 0, 0));
    assert_balanced(&recorder);

    let server = Server::start_at(address, Tls::default(), |_, _| Reply::success()).await;
    all_delivered(&recorder).await;
    let keys: HashSet<_> = server
        .journal()
        .iter()
        .map(|request| request.key().to_owned())
        .collect();
    assert_eq!((keys.len(), server.journal().len()), (5, 5));
}

/// Creates a self-signed certificate. Returns the server's configuration, and the PEM that a client
/// trusts.
fn certificate(name: &str, last_year: i32) -> (Arc<ServerConfig>, String) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(last_year, 12, 31);
    let certificate = params.self_signed(&key).unwrap();
    let private = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let certificate_der: CertificateDer<'static> = certificate.der().clone();
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate_der], private)
        .unwrap();
    (Arc::new(config), certificate.pem())
}

#[tokio::test]
async fn fault_28_untrusted_or_expired_certificate_is_reported_in_health_and_events_wait() {
    let (good, trusted) = certificate("good", 2099);
    let (expired, trusted_but_expired) = certificate("expired", 2021);
    let (unknown, _) = certificate("unknown", 2099);
    for (name, presented) in [("unknown", unknown), ("expired", expired)] {
        let tls = Tls::new(Mutex::new(Some(presented)));
        let address = "127.0.0.1:0".parse().unwrap();
        let server = Server::start_at(address, Arc::clone(&tls), |_, _| Reply::success()).await;
        let url = format!("https://localhost:{}", server.address().port());
        let client = client(url)
            .resolver(|_| std::future::ready(Ok(vec![Ipv4Addr::LOCALHOST.into()])))
            .root_certificates(trusted.clone())
            .root_certificates(trusted_but_expired.clone());
        let recorder = recorder(client);
        record(&recorder, 5);
        let found = health(&recorder, |health| health.state == HealthState::Degraded).await;
        let reason = found.reason.unwrap();
        assert!(reason.contains("TLS:"), "{name}: {reason}");
        let stats = recorder.stats();
        assert_eq!((stats.pending, stats.dead, stats.lost), (5, 0, 0), "{name}");
        assert!(
            server.journal().is_empty(),
            "{name}: no request is sent to an untrusted server"
        );
        assert_balanced(&recorder);

        *tls.lock().unwrap() = Some(Arc::clone(&good));
        all_delivered(&recorder).await;
        assert_eq!(by_key(server.journal()).len(), 5, "{name}");
    }
}
