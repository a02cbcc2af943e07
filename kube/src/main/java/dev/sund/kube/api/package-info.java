/**
 * The way to an API server: who it is and how it knows us ({@link dev.sund.kube.api.Kubeconfig}),
 * and one HTTP/1.1 connection to it ({@link dev.sund.kube.api.ApiConnection}). Sund only reads, one
 * request at a time on each connection, so this is all the HTTP it needs; and it opens its sockets
 * itself, because an agent of the lab must open them in its node's network namespace.
 */
@NullMarked
package dev.sund.kube.api;

import org.jspecify.annotations.NullMarked;
