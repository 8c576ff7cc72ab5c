/*
 * settings.h
 *		The extension's settings.
 */
#ifndef MODELREG_SETTINGS_H
#define MODELREG_SETTINGS_H

extern int	mr_max_clock_skew;	/* milliseconds */
extern int	mr_max_decision_delay;	/* milliseconds */
extern int	mr_max_artifact_size;	/* megabytes */
extern int	mr_search_scan_limit;	/* rows */
extern int	mr_max_lineage_nodes;	/* nodes */
extern bool mr_allow_removal;

extern void mr_settings_define(void);

#endif							/* MODELREG_SETTINGS_H */
