//! One login as a story, told to a scripted host, about real records.

mod exempt;
mod first_login;
mod one_field;
mod own_field;
mod refused;
mod scripted;
mod world;
