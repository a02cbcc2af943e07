/**
 * A small API server with Kubernetes' semantics for what agents use, so that agents in the lab run
 * exactly the code that they run in a cluster.
 *
 * <pre>
 *  lab ──put, delete──► Store (objects, bounded log of changes) ◄── list, watch ── LabApi ◄── agents
 * </pre>
 *
 * It serves get, list (in pages), watch (bookmarks, 410 when the log no longer reaches back),
 * create, replace, delete and the status subresource, of the resources in {@link
 * dev.sund.lab.api.Resource}. Callers are known by bearer tokens and may do what the cluster's RBAC
 * objects say. {@link dev.sund.lab.api.Faults} make it answer late, twice or not at all.
 *
 * <p>What it leaves out on purpose: admission, defaulting, validation against schemas, patch,
 * finalizers and graceful deletion.
 */
@NullMarked
package dev.sund.lab.api;

import org.jspecify.annotations.NullMarked;
