#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| capol_fuzz::plan(bytes));
