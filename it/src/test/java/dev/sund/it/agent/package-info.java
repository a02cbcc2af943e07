/** The agent on real kernels: real processes, real namespaces, real packets. */
package dev.sund.it.agent;
