/**
 * The program of one node: follows the cluster, compiles the node's packet program, keeps the
 * kernel equal to it, and attaches pods.
 *
 * <p>Begin with {@code Agent}: it makes every part, connects them and closes them in reverse order.
 */
package dev.sund.agent;
