/**
 * From files, or from an API server, to the {@link dev.sund.engine.policy.audit.PolicyScene} that
 * questions about policies are asked of: policies, namespaces, nodes, pods, and the workloads of
 * which pods are.
 *
 * <p>A Deployment, StatefulSet, DaemonSet or Job of which there is no pod stands for one, so that
 * the files of a repository can be asked before anything of them runs.
 */
@NullMarked
package dev.sund.kube.policy;

import org.jspecify.annotations.NullMarked;
