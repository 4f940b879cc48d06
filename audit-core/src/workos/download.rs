//! Downloads of an export's file, chunk by chunk.

use std::fmt;
use std::io::Write;

use bytes::Bytes;
use http::header::CONTENT_LENGTH;
use http::{Method, Request, Response};
use tower::ServiceExt;

use super::client::WorkOs;
use super::error::Error;
use super::exports::ExportState;
use super::transport::Downloads;

/// A download in progress: the bytes of a CSV file, in chunks.
///
/// Dropping it cancels the download. Only the last chunk is held in memory.
#[must_use = "nothing is downloaded until it is read"]
pub struct Download {
    body: Body,
    length: Option<u64>,
    received: u64,
}

enum Body {
    Streamed(reqwest::Response),
    Whole(Option<Bytes>),
}

impl Download {
    /// Returns the length of the file in bytes, if the host sent it.
    #[must_use]
    pub fn length(&self) -> Option<u64> {
        self.length
    }

    /// Returns the number of bytes read so far.
    #[must_use]
    pub fn received(&self) -> u64 {
        self.received
    }

    /// Returns the next bytes; `None` at the end.
    ///
    /// Use it for writers of your own, such as asynchronous ones, and for progress.
    ///
    /// # Errors
    ///
    /// The connection breaks, pauses for longer than the request timeout, or ends before the
    /// announced length. A part that was written is then incomplete; download the file again.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        let chunk = match &mut self.body {
            Body::Streamed(response) => response.chunk().await.map_err(unreadable)?,
            Body::Whole(bytes) => bytes.take(),
        };
        self.received += chunk.as_ref().map_or(0, |bytes| bytes.len() as u64);
        if chunk.is_none() && self.length.is_some_and(|length| length != self.received) {
            return Err(Error::transport(
                "the download ended before the length that was announced".into(),
            ));
        }
        Ok(chunk)
    }

    /// Writes the whole file, and returns its length in bytes.
    ///
    /// The writer is called in blocking mode, a chunk at a time.
    ///
    /// # Errors
    ///
    /// As [`chunk`](Self::chunk), or the writer fails.
    pub async fn write_to(self, writer: &mut impl Write) -> Result<u64, Error> {
        self.write_with_progress(writer, |_| {}).await
    }

    /// Writes the whole file as [`write_to`](Self::write_to), and calls `progress` after each
    /// chunk.
    ///
    /// ```no_run
    /// # async fn example(workos: audit_core::WorkOs, mut file: std::fs::File) -> Result<(), audit_core::workos::Error> {
    /// let download = workos.download_export("audit_log_export_1").await?;
    /// download
    ///     .write_with_progress(&mut file, |so_far| eprintln!("{} of {:?} bytes", so_far.received(), so_far.length()))
    ///     .await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`write_to`](Self::write_to).
    pub async fn write_with_progress(
        mut self,
        writer: &mut impl Write,
        mut progress: impl FnMut(&Self),
    ) -> Result<u64, Error> {
        while let Some(chunk) = self.chunk().await? {
            writer.write_all(&chunk).map_err(Error::write)?;
            progress(&self);
        }
        writer.flush().map_err(Error::write)?;
        Ok(self.received)
    }
}

impl fmt::Debug for Download {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Download")
            .field("length", &self.length)
            .field("received", &self.received)
            .finish_non_exhaustive()
    }
}

impl WorkOs {
    /// Starts the download of an export that is ready.
    ///
    /// The export is read again first, since its `url` expires after 10 minutes. The file comes
    /// from another host, which never receives the key. Redirects are followed, but not from
    /// `https` to `http`.
    ///
    /// # Errors
    ///
    /// The export is not ready yet, failed ([`Error::is_export_failed`]), or has expired
    /// ([`Error::is_export_expired`]); the file's host does not return it.
    pub async fn download_export(&self, id: &str) -> Result<Download, Error> {
        let export = self.get_export(id).await?;
        let url = match (&export.state, &export.url) {
            (ExportState::Ready, Some(url)) => url,
            (ExportState::Error, _) => return Err(Error::export_failed(id)),
            (ExportState::Expired, _) => return Err(Error::export_expired(id)),
            (state, _) => {
                return Err(Error::refused(format!(
                    "export {id} is {state} and has no file yet; call wait_for_export first"
                )));
            }
        };
        match self.downloads() {
            Downloads::Streamed(client) => {
                let response = client.get(url).send().await.map_err(unreadable)?;
                let status = response.status();
                if !status.is_success() {
                    return Err(foreign(status, response.headers()));
                }
                Ok(Download {
                    length: response.content_length(),
                    body: Body::Streamed(response),
                    received: 0,
                })
            }
            Downloads::Whole(transport) => {
                let request = Request::builder().method(Method::GET).uri(url);
                let request = request
                    .body(Bytes::new())
                    .map_err(|_| Error::refused("the url of the export is not an address"))?;
                let response = transport.clone().oneshot(request).await;
                let response = response.map_err(Error::transport)?;
                if !response.status().is_success() {
                    return Err(foreign(response.status(), response.headers()));
                }
                let length = response.headers().get(CONTENT_LENGTH);
                Ok(Download {
                    length: length.and_then(|value| value.to_str().ok()?.parse().ok()),
                    body: Body::Whole(Some(response.into_body())),
                    received: 0,
                })
            }
        }
    }
}

/// Drops the library's error, which prints the address: it gives access to the events.
fn unreadable(error: reqwest::Error) -> Error {
    Error::transport(error.without_url().into())
}

/// Returns the error of a response of the file's host, whose body is not read.
fn foreign(status: http::StatusCode, headers: &http::HeaderMap) -> Error {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = status;
    *response.headers_mut() = headers.clone();
    Error::response(&response)
}

#[cfg(test)]
mod tests {
    use std::io;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;
    use crate::workos::canned::Canned;
    use crate::workos::key::ApiKey;

    fn export(url: &str) -> String {
        format!(r#"{{"id":"e_1","state":"ready","url":"{url}","created_at":"","updated_at":""}}"#)
    }

    /// Serves each connection once, in turn; returns the requests.
    async fn host(
        answers: impl FnOnce(&str) -> Vec<String>,
    ) -> (String, tokio::task::JoinHandle<Vec<String>>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let answers = answers(&url);
        let task = tokio::spawn(async move {
            let mut asked = Vec::new();
            for answer in answers {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(stream.read_u8().await.unwrap());
                }
                asked.push(String::from_utf8(head).unwrap());
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
            asked
        });
        (url, task)
    }

    fn answer(body: &str) -> String {
        format!(
            "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        )
    }

    fn client(url: &str) -> WorkOs {
        let key = ApiKey::new("sk_test_canary").unwrap();
        WorkOs::builder(key).base_url(url).build().unwrap()
    }

    #[tokio::test]
    async fn the_url_is_read_again_and_the_file_is_requested_without_the_key() {
        let (url, host) = host(|base| {
            let export = export(&format!("{base}/file.csv?signature=s"));
            vec![answer(&export), answer("id,action\r\n")]
        })
        .await;
        let (mut file, mut seen) = (Vec::new(), Vec::new());
        let download = client(&url).download_export("e_1").await.unwrap();
        assert_eq!(download.length(), Some(11));
        let written = download
            .write_with_progress(&mut file, |so_far| seen.push(so_far.received()))
            .await;
        assert_eq!((written.unwrap(), &*file), (11, &b"id,action\r\n"[..]));
        assert_eq!(seen.last(), Some(&11));
        let asked = host.await.unwrap();
        assert!(
            asked[0].contains("Bearer sk_test_canary")
                || asked[0].contains("bearer sk_test_canary")
        );
        assert!(
            asked[1].starts_with("GET /file.csv?signature=s "),
            "{}",
            asked[1]
        );
        assert!(!asked[1].contains("canary") && !asked[1].to_lowercase().contains("authorization"));
    }

    #[tokio::test]
    async fn a_file_that_ends_early_is_an_error() {
        let short = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\nconnection: close\r\n\r\nid,act";
        let (url, _host) = host(|base| {
            let export = export(&format!("{base}/f?signature=canary"));
            vec![answer(&export), short.to_owned()]
        })
        .await;
        let download = client(&url).download_export("e_1").await.unwrap();
        let error = download.write_to(&mut Vec::new()).await.unwrap_err();
        assert!(error.is_retryable(), "{error}");
        assert!(!format!("{error:?}").contains("signature"), "{error:?}");
    }

    #[tokio::test]
    async fn a_custom_transport_does_not_receive_the_key_either() {
        let canned = Canned::new()
            .answer(200, &export("https://exports.example/f.csv"))
            .answer(200, "a,b\r\n");
        let download = canned.client().download_export("e_1").await.unwrap();
        let mut file = Vec::new();
        assert_eq!(download.write_to(&mut file).await.unwrap(), 5);
        let request = canned.last_request();
        assert_eq!(request.uri(), "https://exports.example/f.csv");
        assert!(request.headers().is_empty(), "{:?}", request.headers());
    }

    #[tokio::test]
    async fn an_export_without_a_file_is_a_distinct_error() {
        let error = async |state: &str| {
            let body = export("")
                .replace("ready", state)
                .replace("\"url\":\"\",", "");
            let canned = Canned::new().answer(200, &body);
            canned.client().download_export("e_1").await.unwrap_err()
        };
        assert!(
            error("pending")
                .await
                .to_string()
                .contains("call wait_for_export first")
        );
        assert!(error("error").await.is_export_failed());
        assert!(error("expired").await.is_export_expired());
    }

    #[tokio::test]
    async fn a_writer_that_fails_is_the_error() {
        struct Full;
        impl Write for Full {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::Error::other("no room"))
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let canned = Canned::new()
            .answer(200, &export("https://h/f"))
            .answer(200, "a");
        let download = canned.client().download_export("e_1").await.unwrap();
        let error = download.write_to(&mut Full).await.unwrap_err();
        assert!(
            !error.is_retryable() && std::error::Error::source(&error).is_some(),
            "{error}"
        );
    }

    #[tokio::test]
    async fn a_refusal_of_the_files_host_is_not_attributed_to_the_service() {
        let canned = Canned::new()
            .answer(200, &export("https://h/f"))
            .answer(403, "<xml>");
        let error = canned.client().download_export("e_1").await.unwrap_err();
        assert_eq!(error.status(), Some(http::StatusCode::FORBIDDEN));
    }
}
