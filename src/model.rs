//! The domain as plain types; knows neither text nor HTTP.

pub mod catalogue;
