/** The families of checks: each a class with the facts that it reads and what they mean. */
package dev.sund.doctor.check;
