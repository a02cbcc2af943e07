/**
 * Measures with packets. {@link dev.sund.lab.measure.Measurement} holds sockets in the namespaces
 * of pods, nodes and hosts, all served by one thread with one epoll ({@code
 * dev.sund.lab.measure.ProbeLoop}), and answers questions by sending packets and watching who gets
 * them. {@link dev.sund.lab.measure.Traffic} keeps flows running and counts what is lost.
 * Associations of SCTP, for which many kernels have no sockets, are asked for by raw ones ({@code
 * dev.sund.lab.measure.SctpPacket}).
 *
 * <p>Nothing here knows a program or a prediction; the two meet in the matrix.
 *
 * <pre>
 *   question -> flights (one packet or connection each) -> sent together
 *        receiver: payload names the flight, source as seen      \
 *        sender:   reply, refusal, error queue (who answered)     > answers
 *        underlay: captured frames (wrapped or not, outer header) /
 * </pre>
 */
@NullMarked
package dev.sund.lab.measure;

import org.jspecify.annotations.NullMarked;
