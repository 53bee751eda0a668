//! An application's certificate: a PEM file in, a signed assertion out, no OpenSSL needed.
//!
//! Source: Microsoft identity platform, "Application authentication certificate credentials".

use super::Clock;
use super::federated::ASSERTION_TYPE;
use super::token_endpoint::TokenEndpoint;
use crate::graph::error::SignInError;
use crate::graph::secret::Secret;
use crate::graph::token::{AccessToken, TokenSource};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures::future::BoxFuture;
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PSS_SHA256, RsaKeyPair};
use rustls_pki_types::pem::{PemObject, SectionKind};
use serde_json::json;
use std::path::Path;

/// How long an assertion is valid, in seconds.
const VALID: i64 = 600;

pub(super) struct CertificateSource {
    endpoint: TokenEndpoint,
    identity: Identity,
    clock: Clock,
}

impl CertificateSource {
    /// Reads the PEM file.
    #[expect(
        clippy::disallowed_methods,
        reason = "the certificate is a file that the user names"
    )]
    pub(super) fn read(endpoint: TokenEndpoint, path: &Path, clock: Clock) -> Result<Self, SignInError> {
        let shown = path.display().to_string();
        let unusable = |problem: String, help: String| SignInError::CertificateFile {
            path: shown.clone(),
            problem,
            help,
        };
        let bytes = std::fs::read(path).map_err(|error| {
            unusable(
                error.to_string(),
                "let `AZURE_CLIENT_CERTIFICATE_PATH` name a PEM file with certificate and private key"
                    .to_owned(),
            )
        })?;
        let identity =
            Identity::from_pem(&bytes).map_err(|problem| unusable(problem.text(), problem.help(&shown)))?;
        Ok(Self {
            endpoint,
            identity,
            clock,
        })
    }
}

impl TokenSource for CertificateSource {
    fn fetch(&self) -> BoxFuture<'_, Result<AccessToken, SignInError>> {
        Box::pin(async move {
            let now = (self.clock)().as_second();
            let claims = json!({
                "aud": self.endpoint.token_url()?.as_str(),
                "iss": self.endpoint.client(),
                "sub": self.endpoint.client(),
                "jti": uuid::Uuid::new_v4().to_string(),
                "iat": now,
                "nbf": now,
                "exp": now + VALID,
            });
            let assertion = self
                .identity
                .sign(&claims)
                .ok_or_else(|| self.endpoint.not_understood("the key does not sign"))?;
            let form = [
                ("grant_type", "client_credentials"),
                ("client_assertion_type", ASSERTION_TYPE),
                ("client_assertion", assertion.reveal()),
            ];
            Ok(self.endpoint.token(&form, &[&assertion]).await?.token)
        })
    }
}

/// A certificate and the key that belongs to it.
struct Identity {
    certificate: Vec<u8>,
    key: Key,
}

enum Key {
    Rsa(RsaKeyPair),
    Ec(EcdsaKeyPair),
}

/// Why a file holds no usable identity.
#[derive(Debug, PartialEq, Eq)]
enum Problem {
    Pfx,
    Encrypted,
    NoKey,
    NoCertificate,
    SeveralKeys,
    Key(String),
    Stranger,
}

impl Problem {
    fn text(&self) -> String {
        match self {
            Self::Pfx => "it is not PEM (PFX and PKCS#12 files are not read)".to_owned(),
            Self::Encrypted => "its private key is encrypted".to_owned(),
            Self::NoKey => "it holds no private key".to_owned(),
            Self::NoCertificate => "it holds no certificate".to_owned(),
            Self::SeveralKeys => "it holds several private keys".to_owned(),
            Self::Key(cause) => format!("its private key cannot be used ({cause})"),
            Self::Stranger => "its private key belongs to none of its certificates".to_owned(),
        }
    }

    fn help(&self, path: &str) -> String {
        match self {
            Self::Pfx => format!("convert it once: `openssl pkcs12 -in {path} -out {path}.pem -nodes`"),
            Self::Encrypted => format!(
                "decrypt it once: `openssl pkey -in {path} -out key.pem`, then put key.pem and the certificate in one file"
            ),
            Self::Key(_) => format!(
                "use an RSA key of 2048 to 4096 bits or an EC key on P-256, in PKCS#8: `openssl pkey -in {path} -out key.pem`"
            ),
            Self::NoKey | Self::NoCertificate | Self::SeveralKeys | Self::Stranger => {
                "put the certificate and its private key, in PEM, one after the other in one file".to_owned()
            }
        }
    }
}

impl Identity {
    fn from_pem(bytes: &[u8]) -> Result<Self, Problem> {
        let text = String::from_utf8_lossy(bytes);
        if !text.contains("-----BEGIN") {
            return Err(Problem::Pfx);
        }
        if text.contains("ENCRYPTED") {
            return Err(Problem::Encrypted);
        }
        let mut certificates = Vec::new();
        let mut keys = Vec::new();
        for section in <(SectionKind, Vec<u8>)>::pem_slice_iter(bytes) {
            match section.map_err(|error| Problem::Key(error.to_string()))? {
                (SectionKind::Certificate, der) => certificates.push(der),
                (SectionKind::PrivateKey, der) => keys.push(from_pkcs8(&der)),
                (SectionKind::RsaPrivateKey, der) => keys.push(from_pkcs1(&der)),
                (SectionKind::EcPrivateKey, der) => keys.push(from_pkcs8(&pkcs8_of_p256(&der))),
                _ => {}
            }
        }
        if certificates.is_empty() {
            return Err(Problem::NoCertificate);
        }
        let key = match keys.len() {
            0 => return Err(Problem::NoKey),
            1 => keys.remove(0)?,
            _ => return Err(Problem::SeveralKeys),
        };
        // A file may hold the chain too: the leaf is the certificate that carries this key's public half.
        let public = key.public();
        let certificate = certificates
            .into_iter()
            .find(|der| der.windows(public.len()).any(|part| part == public))
            .ok_or(Problem::Stranger)?;
        Ok(Self { certificate, key })
    }

    /// The assertion in compact form: header, claims, signature.
    fn sign(&self, claims: &serde_json::Value) -> Option<Secret> {
        let thumbprint = |algorithm| URL_SAFE_NO_PAD.encode(digest(algorithm, &self.certificate));
        let header = json!({
            "typ": "JWT",
            "alg": match self.key { Key::Rsa(_) => "PS256", Key::Ec(_) => "ES256" },
            "x5t#S256": thumbprint(&SHA256),
            "x5t": thumbprint(&SHA1_FOR_LEGACY_USE_ONLY),
        });
        let encode = |value: &serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", encode(&header), encode(claims));
        let random = SystemRandom::new();
        let signature = match &self.key {
            Key::Rsa(key) => {
                let mut signature = vec![0; key.public().modulus_len()];
                key.sign(&RSA_PSS_SHA256, &random, signed.as_bytes(), &mut signature)
                    .ok()?;
                signature
            }
            Key::Ec(key) => key.sign(&random, signed.as_bytes()).ok()?.as_ref().to_vec(),
        };
        Some(Secret::new(format!(
            "{signed}.{}",
            URL_SAFE_NO_PAD.encode(signature)
        )))
    }
}

impl Key {
    fn public(&self) -> &[u8] {
        match self {
            Self::Rsa(key) => key.public_key().as_ref(),
            Self::Ec(key) => key.public_key().as_ref(),
        }
    }
}

fn from_pkcs8(der: &[u8]) -> Result<Key, Problem> {
    let rsa = match RsaKeyPair::from_pkcs8(der) {
        Ok(key) => return Ok(Key::Rsa(key)),
        Err(error) => error,
    };
    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der, &SystemRandom::new())
        .map(Key::Ec)
        .map_err(|ec| Problem::Key(format!("as RSA: {rsa}; as P-256: {ec}")))
}

fn from_pkcs1(der: &[u8]) -> Result<Key, Problem> {
    RsaKeyPair::from_der(der)
        .map(Key::Rsa)
        .map_err(|error| Problem::Key(error.to_string()))
}

/// Wraps an `EC PRIVATE KEY` (SEC1) into PKCS#8 for P-256; on another curve ring refuses the result.
fn pkcs8_of_p256(sec1: &[u8]) -> Vec<u8> {
    const VERSION: &[u8] = &[0x02, 0x01, 0x00];
    // SEQUENCE { ecPublicKey, prime256v1 }
    const ALGORITHM: &[u8] = &[
        0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
        0x3d, 0x03, 0x01, 0x07,
    ];
    let content = [VERSION, ALGORITHM, &tagged(0x04, sec1)].concat();
    tagged(0x30, &content)
}

/// A DER element of up to 65535 bytes.
fn tagged(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let [.., high, low] = length.to_be_bytes();
    let mut der = vec![tag];
    match length {
        0..0x80 => der.push(low),
        0x80..0x100 => der.extend([0x81, low]),
        _ => der.extend([0x82, high, low]),
    }
    der.extend_from_slice(content);
    der
}
