/**
 * The way to the API servers: who they are and how they know us ({@link
 * dev.sund.kube.api.Kubeconfig}, {@link dev.sund.kube.api.ApiServer}), one HTTP/1.1 connection to
 * one of them ({@link dev.sund.kube.api.ApiConnection}), and reading and writing single objects
 * over such a connection ({@link dev.sund.kube.api.ApiObjects}).
 *
 * <pre>
 *  Reflectors ──get──────────► ApiConnection ─┐
 *  ApiObjects ──get, send────► ApiConnection ─┴► ApiServer: endpoints in turn, token, TLS files
 * </pre>
 *
 * <p>One request at a time on each connection is all the HTTP that Sund needs; and it opens its
 * sockets itself, because an agent of the lab must open them in its node's network namespace.
 * Tokens and certificates are read anew when their files change. A server that cannot be reached,
 * says nothing or cannot work is left for the next one, by all connections.
 */
@NullMarked
package dev.sund.kube.api;

import org.jspecify.annotations.NullMarked;
