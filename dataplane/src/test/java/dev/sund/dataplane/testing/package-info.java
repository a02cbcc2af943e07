/** Nodes and pods as network namespaces, for tests with a real kernel. */
package dev.sund.dataplane.testing;
