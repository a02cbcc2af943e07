/**
 * A small API server with Kubernetes' semantics for what agents use, so that agents in the lab run
 * exactly the code that they run in a cluster.
 *
 * <pre>
 *  lab ──put, delete──► Store (objects, bounded log of changes) ◄── list, watch, patch ── LabApi ◄── agents
 *                                Definitions (resources, schemas, columns)                     ◄── kubectl
 * </pre>
 *
 * <p>It serves get, list (in pages), watch (bookmarks, 410 when the log no longer reaches back),
 * create, replace, patch (merge, JSON, strategic), delete and the status subresource, of the
 * resources in {@link dev.sund.lab.api.Resource} and of those that CustomResourceDefinitions bring,
 * which are pruned and held to their schemas; and discovery and tables, so that kubectl can be
 * used. Callers are known by bearer tokens or, over TLS ({@link dev.sund.lab.api.LabAuthority}), by
 * client certificates, and may do what the cluster's RBAC objects say. {@link
 * dev.sund.lab.api.Faults} make it answer late, twice or not at all.
 *
 * <p>What it leaves out on purpose: admission, defaulting and validation of Kubernetes' own kinds,
 * conversion between versions, finalizers, graceful deletion, and OpenAPI documents.
 */
@NullMarked
package dev.sund.lab.api;

import org.jspecify.annotations.NullMarked;
