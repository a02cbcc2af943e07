/** The CNI plugin as container runtimes use it. */
package dev.sund.it.cni;
