/**
 * How long a disk takes until what was written is safe: {@link dev.sund.doctor.disk.WriteTest}, in
 * the folder that {@link dev.sund.doctor.disk.EtcdFolder} finds. The doctor's only part that
 * writes, and only when it is asked.
 */
package dev.sund.doctor.disk;
