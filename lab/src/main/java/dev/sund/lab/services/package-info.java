/**
 * What a cluster does for Services besides the agents: the API server that fills in addresses and
 * ports, the controller that makes slices of pods, and a balancer that gives addresses and sends
 * packets for them to a node.
 */
package dev.sund.lab.services;
