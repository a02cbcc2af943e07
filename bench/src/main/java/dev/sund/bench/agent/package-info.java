/** How soon an agent is ready, what it weighs, and how soon a pod is reached. */
package dev.sund.bench.agent;
