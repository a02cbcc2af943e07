/**
 * What tests of other modules use too: namespaces that are gone afterwards, and programs in them.
 */
package dev.sund.kernel.testing;
